"""The ground that all records stand on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, ClassVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

SCHEMA_VERSION = 1
"""The version that this code writes, and the highest that it reads."""

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""No clock of marketing's is older; what says otherwise has a wrong clock."""


def to_utc(value: datetime) -> datetime:
    """`value` (aware) in UTC. Raises `ValueError` at the ends of the calendar, where the other zone's year has none."""
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("lies outside of the calendar") from None


Instant = Annotated[AwareDatetime, AfterValidator(to_utc)]
"""A point in time: RFC 3339 with zone on the wire, UTC here and whenever written."""

Text = Annotated[str, Field(max_length=1_000)]
"""A short text of one person's making: a name, a title, a city."""

Id = Annotated[str, Field(min_length=1, max_length=512)]
"""An identifier, opaque to us."""


class Record(BaseModel):
    """What stands in a topic. Unknown fields are kept and passed on."""

    model_config = ConfigDict(extra="allow", populate_by_name=True, allow_inf_nan=False, ser_json_inf_nan="null")

    schema_version: int = Field(
        default=SCHEMA_VERSION, ge=1, description="Version of this record's schema; absent means 1."
    )

    ce_type: ClassVar[str] = "baton.record.v1"

    def to_json(self) -> bytes:
        """The record's value on the wire: JSON, UTF-8, fields without a value left out."""
        return self.__pydantic_serializer__.to_json(self, exclude_none=True, by_alias=True)


class Part(BaseModel):
    """A part of a record. Unknown fields are kept and passed on."""

    model_config = ConfigDict(extra="allow", populate_by_name=True, allow_inf_nan=False)
