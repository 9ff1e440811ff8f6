"""Stops a stage when too much of its input fails: a bad deploy must not drain a topic into the failed one.

Time is passed in (seconds on any clock that only rises), so the breaker can be tested and replayed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import count


class Breaker:
    """Opens on `consecutive` failures in a row, or on `share` of the last `window` records.

    Before a round is committed the engine asks `would_open`; a round that would open it is not committed. What became
    of a round is told by `note`. Only what was committed is remembered, so two things hold of the committed records,
    however the input was cut into rounds and however often the stage tried again: never `consecutive` failures in a
    row, never `share * window` failures among `window` records.

    Open, it lets a trial through once `resume_seconds` have passed (`may_try`): a round that passes closes it, one
    that fails holds it open for as long again. With `resume_seconds` 0 only a person closes it.
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
        self._seen = 0
        self._run = 0
        self._failures: deque[int] = deque()  # numbers of the failed records among the last `window`
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

    def may_try(self, now: float) -> bool:
        """Whether a round may be worked on: it is closed, or it is time for a trial."""
        return not self.is_open or (self.resume_seconds > 0 and now - self._opened_at >= self.resume_seconds)

    def would_open(self, failed: Sequence[bool]) -> str:
        """Reason to stop instead of committing records with these outcomes, in order; empty where there is none."""
        if True not in failed:
            return ""
        run, failures = self._run, deque(self._failures)
        for number, bad in zip(count(self._seen), failed, strict=False):
            if not bad:
                run = 0
                continue
            run += 1
            failures.append(number)
            while failures[0] <= number - self.window:
                failures.popleft()
            if run >= self.consecutive:
                return "a record failed" if run == 1 else f"{run} records in a row failed"
            if len(failures) >= self.share * self.window:
                return f"{len(failures)} of the last {self.window} records failed"
        return ""

    def note(self, failed: Sequence[bool], now: float) -> bool:
        """Take in the outcomes of a round; give whether the breaker is closed after it.

        A round that would open it opens it at `now` and is otherwise forgotten: it was not committed. Any other round
        is taken as committed, and closes it. A round without records says nothing.
        """
        if not failed:
            return not self.is_open
        if reason := self.would_open(failed):
            self._reason, self._opened_at = reason, now
            return False
        self._remember(failed)
        self._reason = ""
        return True

    def close(self) -> None:
        """Close it by hand, and forget the past: a person has looked at what failed."""
        self._run, self._reason = 0, ""
        self._failures.clear()

    def _remember(self, failed: Sequence[bool]) -> None:
        start, self._seen = self._seen, self._seen + len(failed)
        if True in failed:
            self._failures.extend(start + index for index, bad in enumerate(failed) if bad)
        while self._failures and self._failures[0] < self._seen - self.window:
            self._failures.popleft()
        at_the_end = next((n for n, bad in enumerate(reversed(failed)) if not bad), len(failed))
        self._run = self._run + at_the_end if at_the_end == len(failed) else at_the_end
