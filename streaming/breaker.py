"""Stops a stage when too much of its input fails: a bad deploy must not drain a topic into the failed one.

Time is passed in (seconds on any clock that only rises), so the breaker can be tested and replayed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace


class MoreThanMayFail(Exception):
    """More of the round in hand fails than an operator let pass: a smaller one comes up to that number."""


class Breaker:
    """Opens on `consecutive` failures in a row, or on `share` of the last `window` records.

    Before a round is committed the engine asks `would_open`; a round that would open it is not committed. What became
    of a round is told by `note`. Only what was committed is remembered, so two things hold of the committed records,
    however the input was cut into rounds and however often the stage tried again: never `consecutive` failures in a
    row, never `share * window` failures among `window` records.

    Open, it lets a trial through once `resume_seconds` have passed (`may_try`): a round that passes closes it, one
    that fails holds it open for as long again. With `resume_seconds` 0 only a person closes it.

    A person may also let a number of failures pass (`close`): these are not counted, and what follows them is, afresh.
    """

    def __init__(
        self, consecutive: int = 100, share: float = 0.5, window: int = 1000, resume_seconds: float = 60.0
    ) -> None:
        """Raise ValueError for limits that make no sense."""
        if consecutive < 1 or window < 1 or not 0 < share <= 1 or resume_seconds < 0:
            raise ValueError(
                "a breaker needs consecutive and window of at least 1, a share above 0 and up to 1, "
                f"and resume_seconds of at least 0: {consecutive=}, {window=}, {share=}, {resume_seconds=}"
            )
        self.consecutive, self.share, self.window, self.resume_seconds = consecutive, share, window, resume_seconds
        self._past = _Past()
        self._opened_at = 0.0
        self._reason = ""

    @property
    def is_open(self) -> bool:
        """Whether the stage stands still (a trial may be under way)."""
        return bool(self._reason)

    @property
    def reason(self) -> str:
        """Why it is open, in words; empty where it is closed."""
        return self._reason

    @property
    def allowance(self) -> int:
        """How many failures pass yet without being counted, by an operator's word."""
        return self._past.allowance

    def may_try(self, now: float) -> bool:
        """Whether a round may be worked on: it is closed, or it is time for a trial."""
        return not self.is_open or (self.resume_seconds > 0 and now - self._opened_at >= self.resume_seconds)

    def would_open(self, failed: Sequence[bool]) -> str:
        """Reason to stop instead of committing records with these outcomes, in order; empty where there is none."""
        return "" if True not in failed else self._take(self._past.copy(), failed)

    def passes_in_part(self, failed: Sequence[bool]) -> bool:
        """Whether a smaller round is to be tried in place of one that would open it: an allowance is not used up yet.

        A round of one record always passes then. So what an operator let fail does fail, however large rounds are.
        """
        return self.allowance > 0 and len(failed) > 1

    def note(self, failed: Sequence[bool], now: float) -> bool:
        """Take in the outcomes of a round; give whether the breaker is closed after it.

        A round that would open it opens it at `now` and is otherwise forgotten: it was not committed. Any other round
        is taken as committed, and closes it. A round without records says nothing.
        """
        if not failed:
            return not self.is_open
        past = self._past.copy() if True in failed else self._past
        if reason := self._take(past, failed):
            self._reason, self._opened_at = reason, now
            return False
        self._past, self._reason = past, ""
        return True

    def close(self, allowance: int = 0) -> None:
        """Close it by hand, and forget the past: a person has looked at what failed.

        The next `allowance` failures pass without being counted. Once the first has passed, what is left of it ends
        with `window` good records in a row: whatever was wrong is over, and the next fault is a new one. Good records
        before the first failure end nothing: those that led up to it were not committed either, and come again.
        """
        if allowance < 0:
            raise ValueError(f"an allowance of {allowance} failures makes no sense")
        self._past, self._reason = _Past(allowance=allowance), ""

    def _take(self, past: _Past, failed: Sequence[bool]) -> str:
        """Move `past` on by these outcomes, up to the first that opens; the reason then, else an empty text."""
        if True not in failed and not past.allowance:
            past.skip(len(failed), self.window)
            return ""
        for bad in failed:
            past.add(bad, self.window)
            if past.run >= self.consecutive:
                return "a record failed" if past.run == 1 else f"{past.run} records in a row failed"
            if len(past.failures) >= self.share * self.window:
                return f"{len(past.failures)} of the last {self.window} records failed"
        return ""


@dataclass(slots=True)
class _Past:
    """What is remembered of committed records: how many, and how many failures in a row at the end.

    `failures`: numbers of the counted failures among the last `window` records. `allowance`: failures still to pass,
    `passed`: the number of the last that did, 0 before the first.
    """

    seen: int = 0
    run: int = 0
    failures: deque[int] = field(default_factory=deque)
    allowance: int = 0
    passed: int = 0

    def copy(self) -> _Past:
        return replace(self, failures=self.failures.copy())

    def skip(self, good: int, window: int) -> None:
        """So many good records."""
        if good:
            self.seen, self.run = self.seen + good, 0
            self._forget(window)

    def add(self, bad: bool, window: int) -> None:  # noqa: FBT001 it is the outcome
        """One record."""
        self.seen += 1
        if bad and self.allowance:
            self.allowance, self.passed = self.allowance - 1, self.seen
        elif bad:
            self.run += 1
            self.failures.append(self.seen)
        else:
            self.run = 0
            if self.passed and self.seen - self.passed >= window:
                self.allowance = 0
        self._forget(window)

    def _forget(self, window: int) -> None:
        while self.failures and self.failures[0] <= self.seen - window:
            self.failures.popleft()
