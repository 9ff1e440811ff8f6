"""What a test of the engine's contract needs of a runner, and the runner in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from streaming.breaker import Breaker
from streaming.memory import MemoryRunner
from streaming.stage import Message, RawHeaders, Stage

PARTITIONS = 4
MAX_RECORDS = 50  # of a round: few, so that a test of some hundred records has several


@dataclass(frozen=True)
class Limits:
    """Those of the stages' breakers; `by_itself`: whether a stopped stage tries again without being told."""

    consecutive: int = 100
    share: float = 0.5
    window: int = 1_000
    by_itself: bool = True


class Driver(Protocol):
    """Runs stages until their input is used up; topics have four partitions."""

    def name(self, topic: str) -> str:
        """The full name of a topic of this test."""

    def start(self, *stages: Stage, **limits: Any) -> None:
        """Make the topics and set the stages going, with such `Limits`."""

    def send(self, topic: str, key: bytes | None, value: bytes | None, headers: RawHeaders = ()) -> None:
        """Publish a record."""

    def settle(self) -> None:
        """Come back once all that was sent is committed."""

    def wait_for_stop(self, stage: str) -> str:
        """Come back once the breaker of a stage is open, with its reason."""

    def close_breaker(self, stage: str, allowance: int = 0) -> None:
        """An operator's word; heeded before the next round of the stage."""

    def wait_for_trial(self) -> None:
        """Let pass the time after which a stopped stage tries again, and come back once all is committed."""

    def restart(self) -> None:
        """End the runner and start a new one, which knows what is kept and nothing else."""

    def records(self, topic: str) -> Sequence[Message]:
        """All committed records of a topic; of each partition in order."""

    def committed(self, stage: str) -> int:
        """How many records of its source a stage has behind it, all partitions together."""

    def outcomes(self, stage: str) -> dict[str, float]:
        """What became of the records of a stage, since `start`."""


class MemoryDriver:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0
        self.stages: Iterable[Stage] = ()
        self.runner = MemoryRunner([], PARTITIONS)
        self.breaker: Callable[[], Breaker] = Breaker

    def name(self, topic: str) -> str:
        return topic

    def start(self, *stages: Stage, **limits: Any) -> None:
        self.stages = stages
        told = Limits(**limits)
        resume_seconds = 60.0 if told.by_itself else 0.0
        self.breaker = partial(Breaker, told.consecutive, told.share, told.window, resume_seconds)
        self.restart()

    def send(self, topic: str, key: bytes | None, value: bytes | None, headers: RawHeaders = ()) -> None:
        self.runner.send(topic, key, value, headers)

    def settle(self) -> None:
        self.runner.run(self.now)

    def wait_for_stop(self, stage: str) -> str:
        self.settle()
        return self.runner.breakers[stage].reason

    def close_breaker(self, stage: str, allowance: int = 0) -> None:
        self.runner.breakers[stage].close(allowance)

    def wait_for_trial(self) -> None:
        self.now += 60
        self.settle()

    def restart(self) -> None:
        self.runner = MemoryRunner(
            self.stages,
            now=self.now,
            breaker=self.breaker,
            max_records=MAX_RECORDS,
            log=self.runner.log,
        )

    def records(self, topic: str) -> Sequence[Message]:
        return self.runner.records(topic)

    def committed(self, stage: str) -> int:
        return sum(offset for (name, _), offset in self.runner.log.committed.items() if name == stage)

    def outcomes(self, stage: str) -> dict[str, float]:
        return {outcome: float(n) for outcome, n in self.runner.outcomes[stage].items()}
