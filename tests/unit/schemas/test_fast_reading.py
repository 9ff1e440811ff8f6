import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field, ValidationError, field_validator

from schemas import LeadEvent
from schemas.fast import MAX_DEPTH, Read, Reader, Unreadable, lead_event
from schemas.structs import struct_of

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
TIMES = st.one_of(
    st.datetimes(min_value=datetime(1999, 12, 30), max_value=datetime(2030, 1, 1)).map(lambda at: at.isoformat() + "Z"),  # noqa: DTZ001 the zone is written beside it
    st.sampled_from(
        [
            "2026-09-24T08:42:10Z", "2026-09-24T08:42:10.1234567Z", "2026-09-24T08:42:10.9999999Z",
            "2026-09-24 08:42:10Z", "2026-09-24T08:42:10+02:00", "2026-09-24T08:42:10.5-0130", "2026-09-24T08:42:10",
            "2000-01-01T00:00:00+05:00", "1999-12-31T23:00:00-05:00", "0001-01-01T00:00:00+05:00", "2026-09-24",
            "9999-12-31T23:59:59-05:00", "2026-02-30T00:00:00Z", "2026-09-24T24:00:00Z", "now", "", "1790239330",
        ]
    ),
)  # fmt: skip
ODDITIES: list[Any] = [None, True, False, 0, 1, -1, 12, 12.0, 1.5, "12", "1", "true", "yes", 10**20, [], {}, [1], "é"]
ODD = st.sampled_from(ODDITIES)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Mostly what belongs there, now and then something odd."""
    return st.one_of(strategy, strategy, strategy, strategy, strategy, strategy, ODD)


def parts(required: Iterable[str] = (), **optional: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    whole = {name: optional.pop(name) for name in required}
    return st.fixed_dictionaries(whole, optional=optional)


CONSENT = parts(("purpose", "granted"), purpose=maybe(TEXTS), granted=maybe(st.booleans()), at=maybe(TIMES))
EVENT = parts(
    ("event_id", "type", "occurred_at", "source"),
    event_id=maybe(TEXTS.filter(bool)),
    type=st.just("page_viewed"),
    occurred_at=maybe(TIMES),
    source=st.just("website"),
    schema_version=maybe(st.just(1)),
    received_at=maybe(TIMES),
    subject=maybe(parts(email=maybe(TEXTS), other=ODD)),
    attributes=maybe(parts(first_name=maybe(TEXTS), employees=maybe(st.integers(-2, 9)), x=ODD)),
    properties=maybe(st.dictionaries(TEXTS, ODD, max_size=3)),
    campaign=maybe(parts(source=maybe(TEXTS))),
    consent=maybe(st.lists(maybe(CONSENT), max_size=2)),
    is_test=maybe(st.booleans()),
)
LEAD = parts(
    ("lead_id", "event", "identity", "received_at"),
    lead_id=maybe(TEXTS.filter(bool)),
    event=EVENT,
    identity=parts(("kind",), kind=maybe(st.sampled_from(["email", "phone"])), links=maybe(st.lists(TEXTS))),
    received_at=maybe(TIMES),
    quality=maybe(st.lists(maybe(TEXTS), max_size=2)),
    other=ODD,
)

GOOD: dict[str, Any] = {
    "lead_id": "l",
    "event": {"event_id": "e", "type": "t", "occurred_at": "2026-09-24T08:42:10Z", "source": "s"},
    "identity": {"kind": "email"},
    "received_at": "2026-09-24T08:42:10Z",
}


def raw(value: object) -> bytes:
    return json.dumps(value).encode()


def with_time(at: str) -> dict[str, Any]:
    return {**GOOD, "event": {**GOOD["event"], "occurred_at": at}}


def with_version(version: object) -> dict[str, Any]:
    return {**GOOD, "event": {**GOOD["event"], "schema_version": version}}


def by_the_model(data: bytes) -> LeadEvent | None:
    """What the model reads; None where it refuses. It reads every version: what this code cannot read is told apart."""
    try:
        model = LeadEvent.model_validate_json(data)
    except ValidationError:
        return None
    return None if max(model.schema_version, model.event.schema_version) > 1 else model


def plain(record: object) -> Any:
    """A model's or a struct's fields as plain values; times as points in time."""
    if isinstance(record, BaseModel):
        return {name: plain(getattr(record, name)) for name in type(record).model_fields}
    if isinstance(record, msgspec.Struct):
        return {name: plain(getattr(record, name)) for name in record.__struct_fields__}
    return [plain(member) for member in record] if isinstance(record, list) else record


def outcome(data: bytes) -> Read | Unreadable:
    """What was read, or the refusal."""
    try:
        return lead_event(data)
    except Unreadable as refused:
        return refused


@settings(max_examples=300, deadline=None)
@given(LEAD)
@example(with_time("2000-01-01T00:00:00+05:00"))
@example(with_time("1999-12-31T23:00:00-05:00"))
@example(with_time("2026-09-24T08:42:10.1234567Z"))
@example(with_time("0001-01-01T00:00:00+05:00"))
@example(with_version(2))
@example(with_version(2.0))
@example(with_version("2"))
@example({**GOOD, "schema_version": 2.0})
def test_the_fast_way_takes_and_refuses_what_the_model_does_and_reads_the_same(value: dict[str, Any]) -> None:
    data = raw(value)
    model, found = by_the_model(data), outcome(data)

    assert (model is None) == isinstance(found, Unreadable), found
    assert model is None or (isinstance(found, Read) and plain(model) == plain(found.record))


@settings(max_examples=100, deadline=None)
@given(LEAD)
def test_unknown_fields_survive(value: dict[str, Any]) -> None:
    found = outcome(raw(value))
    if isinstance(found, Unreadable):
        return
    given_attributes = value["event"].get("attributes", {})

    assert given_attributes.get("x") == found.tree["event"].get("attributes", {}).get("x")
    assert value.get("other") == found.tree.get("other")


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=40) | st.text(max_size=40).map(str.encode) | LEAD.map(lambda v: raw(v)[:-7]))
def test_whatever_arrives_is_read_or_refused_with_a_reason(data: bytes) -> None:
    found = outcome(data)

    assert not isinstance(found, Unreadable) or (found.detail and found.reason in ("invalid_json", "schema_violation"))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "invalid_json"),
        (b"{" * 10_000, "invalid_json"),
        (raw({**GOOD, "x": float("nan")}), "invalid_json"),
        (raw({**GOOD, "x": float("inf")}), "invalid_json"),
        (raw(GOOD).replace(b'"t"', b'"\xff"'), "invalid_json"),
        (raw(GOOD).replace(b'"t"', b'"\\ud800"'), "invalid_json"),
        (raw(GOOD).replace(b'"t"', b'"a\\u0000b"'), "schema_violation"),
        (raw({**GOOD, "x": json.loads("[" * MAX_DEPTH + "]" * MAX_DEPTH)}), "invalid_json"),
        (raw({**GOOD, "schema_version": 2}), "unsupported_version"),
        (raw({**GOOD, "schema_version": 0}), "schema_violation"),
        (raw([GOOD]), "schema_violation"),
    ],
)
def test_what_no_record_can_be_is_refused_by_name(data: bytes, reason: str) -> None:
    with pytest.raises(Unreadable) as refused:
        lead_event(data)

    assert reason == refused.value.reason


def test_many_objects_beside_each_other_are_not_deep() -> None:
    many = {**GOOD, "event": {**GOOD["event"], "properties": {"items": [{"n": n} for n in range(200)]}}}

    assert 200 == len(lead_event(raw(many)).tree["event"]["properties"]["items"])


def test_what_was_sent_is_never_quoted_in_a_refusal() -> None:
    with pytest.raises(Unreadable) as refused:
        lead_event(raw({**GOOD, "received_at": "ana@acme.example"}))

    assert "received_at" in refused.value.detail
    assert "ana" not in refused.value.detail


class Checked(BaseModel):
    name: str

    @field_validator("name")
    @classmethod
    def _no_x(cls, value: str) -> str:
        return value


class Renamed(BaseModel):
    name: str = Field(alias="title")


class Exotic(BaseModel):
    amount: complex


@pytest.mark.parametrize("model", [Checked, Renamed, Exotic])
def test_a_model_with_something_that_has_no_fast_form_is_refused_when_the_types_are_made(
    model: type[BaseModel],
) -> None:
    with pytest.raises(TypeError, match="teach"):
        struct_of(model)


def test_a_reader_can_be_made_for_other_records_too() -> None:
    class Small(BaseModel):
        count: int = Field(default=1, ge=1, le=9)

    reader = Reader(Small)

    assert 9 == reader(b'{"count": "9"}').record.count
    with pytest.raises(Unreadable):
        reader(b'{"count": 10}')
