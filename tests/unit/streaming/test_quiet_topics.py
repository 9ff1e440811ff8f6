from __future__ import annotations

from dataclasses import dataclass

from streaming.faust.quiet import settle
from streaming.memory_log import MemoryRecord
from streaming.stage import Failure, Message, RecordError, TransientError


@dataclass
class Door:
    """Handles records as it is told to, and remembers."""

    errors: list[Exception]
    refusals: list[Exception]

    def __post_init__(self) -> None:
        self.handled: list[bytes | None] = []
        self.failures: list[Failure] = []

    def handle(self, message: Message) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.handled.append(message.value())

    def failed(self, failure: Failure) -> None:
        if self.refusals:
            raise self.refusals.pop(0)
        self.failures.append(failure)


def record() -> Message:
    return MemoryRecord("quiet", 0, 0, b"k", b"v", (), 0)


async def test_a_record_is_handled_once() -> None:
    door = Door([], [])
    await settle(record(), door.handle, door.failed)

    assert (door.handled, door.failures) == ([b"v"], [])


async def test_a_fault_that_passes_blames_no_record() -> None:
    door = Door([TransientError("away"), TransientError("away")], [])
    await settle(record(), door.handle, door.failed)

    assert (door.handled, door.failures) == ([b"v"], [])


async def test_a_record_that_is_refused_is_failed_with_the_reason() -> None:
    door = Door([RecordError("schema_violation", "kind: unknown")], [])
    await settle(record(), door.handle, door.failed)

    assert door.handled == []
    assert [(f.reason, f.detail, f.trace) for f in door.failures] == [("schema_violation", "kind: unknown", "")]


async def test_an_unexpected_error_fails_the_record_with_its_traceback() -> None:
    door = Door([ZeroDivisionError("boom")], [])
    await settle(record(), door.handle, door.failed)

    assert [(f.reason, f.detail) for f in door.failures] == [("handler_error", "ZeroDivisionError: boom")]
    assert "Traceback" in door.failures[0].trace


async def test_a_failure_that_cannot_be_kept_is_kept_later() -> None:
    door = Door([ValueError("bad")], [OSError("disk full"), OSError("disk full")])
    await settle(record(), door.handle, door.failed)

    assert [f.reason for f in door.failures] == ["handler_error"]
