"""The records that a stage could not process: kept untouched, with the reason, in `<stage>.failed`."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from confluent_kafka import Message

from baton.provisioning import kafka_address
from baton.records import Spans, raw_headers, read_spans, spans
from baton.refusal import NO, Refusal
from baton.settings import Settings
from rules import durations
from schemas.headers import REPLAY_OF, header_map
from schemas.topics import failed
from streaming import run as names
from streaming.stage import RawHeaders

STAGES = ("ingest", "scoring", "routing")
EPOCH = 0.0


@dataclass(frozen=True, slots=True)
class FailedRecord:
    """A failed record.

    `topic`, `partition`, `offset` are its source's (the last two -1 where it has none); `id`: stage, and where it
    stands now. `headers` are the original ones. `at`: `failed_at` in seconds since the epoch. `replay_of`: id of the
    failed record that this one was a replay of, else empty. `set_aside`: of a record that routing made and `topic` did
    not take the lane and sequence that it had; else empty. `kept`: under which name the ledger has it, where this is a
    note of it (`baton.kept`); else empty.
    """

    id: str
    stage: str
    reason: str
    detail: str
    topic: str
    partition: int
    offset: int
    failed_at: str
    at: float
    trace: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    replay_of: str = ""
    set_aside: str = ""
    kept: str = ""

    @property
    def is_notice(self) -> bool:
        """Whether it never was a record, but is what a platform gave notice of; it makes no event as it is."""
        return bool(self.topic) and self.partition < 0 and self.offset < 0 and not self.set_aside

    def row(self) -> dict[str, Any]:
        """As `baton failed list --json` has it."""
        columns = ("id", "stage", "reason", "detail", "topic", "partition", "offset", "failed_at", "replay_of")
        return {column: getattr(self, column) for column in columns}

    def document(self) -> dict[str, Any]:
        """All of it, so that it can be read back byte by byte.

        Bytes that are no UTF-8 stand as base64, under `key_base64`, `value_base64`, and in headers under `base64`.
        """
        headers = [{"name": name} | _spelled("value", value, "base64") for name, value in self.headers]
        more = {"trace": self.trace, "headers": headers}
        return self.row() | more | _spelled("key", self.key) | _spelled("value", self.value)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which failed records are meant: those of `ids`, or all that fit. Times in seconds since the epoch."""

    stage: str | None = None
    reason: str | None = None
    since: float | None = None
    until: float | None = None
    ids: frozenset[str] = field(default_factory=frozenset)

    def holds(self, record: FailedRecord) -> bool:
        """Whether a record is meant."""
        return (
            self.stage in (None, record.stage)
            and self.reason in (None, record.reason)
            and (self.since is None or record.at >= self.since)
            and (self.until is None or record.at < self.until)
            and (not self.ids or record.id in self.ids)
        )


def moment(text: str, now: float) -> float:
    """Seconds since the epoch of `2h` (so long before `now`) or of a date, with or without a time and a zone.

    Without a zone it is UTC. Raises `Refusal`.
    """
    try:
        return now - durations.seconds(text)
    except ValueError:
        pass
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        mend = "Write so long ago (90s, 15m, 4h, 7d), or a time such as 2026-11-02T09:30:00Z"
        raise Refusal(f"`{text}` is no time", mend) from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def standing(settings: Settings, selection: Selection) -> Spans:
    """Where the records of a selection stand now; what fails later is not among them. Raises `Refusal`."""
    if not selection.ids:
        return all_standing(settings, selection)
    asked: dict[tuple[str, int], list[int]] = {}
    for one in selection.ids:
        stage, partition, offset = place(one)
        asked.setdefault((settings.topic_prefix + failed(stage), partition), []).append(offset)
    known = spans(kafka_address(settings), {topic for topic, _ in asked})
    narrowed = {
        slot: (max(known[slot][0], min(offsets)), min(known[slot][1], max(offsets) + 1))
        for slot, offsets in asked.items()
        if slot in known
    }
    return {slot: span for slot, span in narrowed.items() if span[0] < span[1]}


def all_standing(settings: Settings, selection: Selection) -> Spans:
    """Where all records of the stages of a selection stand now, whether it means them or not. Raises `Refusal`."""
    named = {place(one)[0] for one in selection.ids} or {selection.stage or stage for stage in STAGES}
    return spans(kafka_address(settings), [settings.topic_prefix + failed(one) for one in STAGES if one in named])


def records(
    settings: Settings, selection: Selection | None = None, where: Spans | None = None
) -> Iterator[FailedRecord]:
    """The failed records that are meant, as they come; of each partition in order. `where`: of `standing`."""
    meant = selection or Selection()
    for message in read_spans(kafka_address(settings), standing(settings, meant) if where is None else where):
        stage = (message.topic() or "").removeprefix(settings.topic_prefix).removesuffix(failed(""))
        found = failed_record(message, stage)
        if meant.holds(found):
            yield found


def find(settings: Settings, name: str) -> FailedRecord:
    """The failed record of that id. Raises `Refusal`."""
    for one in records(settings, Selection(ids=frozenset((name,)))):
        return one
    raise Refusal(f"there is no failed record `{name}`", "See `baton failed list`", NO)


def place(name: str) -> tuple[str, int, int]:
    """Stage, partition and offset of an id. Raises `Refusal` where it is none."""
    stage, _, rest = name.partition("-")
    partition, _, offset = rest.partition("-")
    if stage not in STAGES or not _is_number(partition) or not _is_number(offset):
        raise Refusal(f"`{name}` is no id of a failed record", "See `baton failed list`")
    return stage, int(partition), int(offset)


def failed_record(message: Message, stage: str) -> FailedRecord:
    """What a record of `<stage>.failed` says."""
    raw = raw_headers(message)
    said = header_map(raw)
    failed_at = said.get(names.FAILED_AT, "")
    return FailedRecord(
        id=f"{stage}-{message.partition()}-{message.offset()}",
        stage=stage,
        reason=said.get(names.REASON, ""),
        detail=said.get(names.DETAIL, ""),
        topic=said.get(names.TOPIC, ""),
        partition=_number(said.get(names.PARTITION)),
        offset=_number(said.get(names.OFFSET)),
        failed_at=failed_at,
        at=_time(failed_at, message),
        trace=said.get(names.TRACE, ""),
        key=message.key(),
        value=message.value(),
        headers=original_headers(raw),
        replay_of=said.get(REPLAY_OF, ""),
        set_aside=said.get(names.SET_ASIDE, ""),
        kept=said.get(names.KEPT, ""),
    )


def original_headers(raw: RawHeaders) -> tuple[tuple[str, bytes | None], ...]:
    """Of the headers of a failed record those that it came with."""
    return tuple((name, value) for name, value in raw if name not in names.FAILED_HEADERS and name != REPLAY_OF)


def _time(failed_at: str, message: Message) -> float:
    """When it failed; where it does not say so in a way that can be read, when it was written."""
    try:
        return datetime.fromisoformat(failed_at).timestamp()
    except ValueError:
        return max(EPOCH, message.timestamp()[1] / 1000)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _number(text: str | None) -> int:
    return int(text) if text and _is_number(text) else -1


def _spelled(name: str, value: bytes | None, otherwise: str | None = None) -> dict[str, Any]:
    if value is None:
        return {name: None}
    try:
        return {name: value.decode()}
    except UnicodeDecodeError:
        return {otherwise or f"{name}_base64": base64.b64encode(value).decode()}
