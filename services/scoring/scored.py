"""A `schemas.ScoredLead`, as fast to write as can be."""

from __future__ import annotations

import msgspec

from schemas.record import SCHEMA_VERSION


class Change(msgspec.Struct, frozen=True, gc=False):
    """A change of stage, as `schemas.Transition` has it."""

    from_: str = msgspec.field(name="from")
    to: str
    reason: str


class Scored(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The record, with the parts that stay the same for many events written already. What is unset is left out."""

    schema_version: int = SCHEMA_VERSION
    lead_id: str
    event_id: str
    fit: float
    engagement: float
    grade: str
    stage: str
    transition: Change | msgspec.UnsetType = msgspec.UNSET
    segments: list[str]
    conversion_probability: float | msgspec.UnsetType = msgspec.UNSET
    explanation: msgspec.Raw
    person: msgspec.Raw
    campaign: msgspec.Raw
    consent: msgspec.Raw
    quality: list[str]
    rules_hash: str
    as_of: str

    def to_json(self) -> bytes:
        """The record's value on the wire, as the model would write it."""
        return _encode(self)


_encode = msgspec.json.Encoder().encode
