"""The records that a stage could not process: kept untouched, with the reason, in `<stage>.failed`."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Message

from baton.provisioning import kafka_address
from baton.records import raw_headers, read
from baton.refusal import NO, Refusal
from baton.settings import Settings
from schemas import headers as names
from schemas.headers import header_map
from schemas.topics import failed

STAGES = ("ingest", "scoring", "routing")


@dataclass(frozen=True, slots=True)
class FailedRecord:
    """A failed record. `topic`, `partition`, `offset` are its source's; `id`: stage, and where it stands now."""

    id: str
    stage: str
    reason: str
    detail: str
    topic: str
    partition: int
    offset: int
    failed_at: str
    trace: str
    key: bytes | None
    value: bytes | None
    headers: dict[str, str]

    def row(self) -> dict[str, Any]:
        """As `baton failed list --json` has it."""
        columns = ("id", "stage", "reason", "detail", "topic", "partition", "offset", "failed_at")
        return {column: getattr(self, column) for column in columns}

    def document(self) -> dict[str, Any]:
        """All of it. Bytes that are no UTF-8 stand as base64, under `key_base64` and `value_base64`."""
        more = {"trace": self.trace, "headers": self.headers}
        return self.row() | more | _spelled("key", self.key) | _spelled("value", self.value)


def records(settings: Settings, stage: str | None = None, reason: str | None = None) -> Iterator[FailedRecord]:
    """Every failed record, of one stage or reason only where they are given."""
    if stage is not None and stage not in STAGES:
        raise Refusal(f"there is no stage `{stage}`", f"Name one of {', '.join(STAGES)}")
    topics = {settings.topic_prefix + failed(one): one for one in STAGES if stage in (None, one)}
    for message in read(kafka_address(settings), topics):
        found = failed_record(message, topics[message.topic() or ""])
        if reason in (None, found.reason):
            yield found


def find(settings: Settings, name: str) -> FailedRecord:
    """The failed record of that id. Raises `Refusal`."""
    stage, _, rest = name.partition("-")
    partition, _, offset = rest.partition("-")
    if stage not in STAGES or not partition.isdigit() or not offset.isdigit():
        raise Refusal(f"`{name}` is no id of a failed record", "See `baton failed list`")
    topic = settings.topic_prefix + failed(stage)
    for message in read(kafka_address(settings), [topic], int(partition)):
        if message.offset() == int(offset):
            return failed_record(message, stage)
    raise Refusal(f"there is no failed record `{name}`", "See `baton failed list`", NO)


def failed_record(message: Message, stage: str) -> FailedRecord:
    """What a record of `<stage>.failed` says."""
    said = header_map(raw_headers(message))
    ours = (names.REASON, names.DETAIL, names.TRACE, names.TOPIC, names.PARTITION, names.OFFSET, names.FAILED_AT)
    return FailedRecord(
        id=f"{stage}-{message.partition()}-{message.offset()}",
        stage=stage,
        reason=said.get(names.REASON, ""),
        detail=said.get(names.DETAIL, ""),
        topic=said.get(names.TOPIC, ""),
        partition=_number(said.get(names.PARTITION)),
        offset=_number(said.get(names.OFFSET)),
        failed_at=said.get(names.FAILED_AT, ""),
        trace=said.get(names.TRACE, ""),
        key=message.key(),
        value=message.value(),
        headers={name: value for name, value in said.items() if name not in ours},
    )


def _number(text: str | None) -> int:
    return int(text) if text and text.isdigit() else -1


def _spelled(name: str, value: bytes | None) -> dict[str, Any]:
    if value is None:
        return {name: None}
    try:
        return {name: value.decode()}
    except UnicodeDecodeError:
        return {f"{name}_base64": base64.b64encode(value).decode()}
