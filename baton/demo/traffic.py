"""The demo's marketing side: sends steps to the collector, as websites and ad platforms do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from baton.demo.schedule import Due
from schemas.ids import lead_id

WEBSITE, GOOGLE = "website", "google-ads"
"""Ids of the sources that the world's doors belong to."""
_TICK = 0.2  # seconds between two looks at what is due
_AGAIN = 1.0  # seconds until a collector that is away or busy is tried again


class Traffic:
    """Sends what is due, when it is due; stops when `stopping` is set. `leads`: whose steps were sent."""

    def __init__(
        self,
        client: httpx.Client,
        google_key: str,
        stopping: threading.Event,
        *,
        clock: Callable[[], float],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client, self._google_key, self._stopping = client, google_key, stopping
        self._clock, self._now = clock, now
        self.sent = self.refused = 0
        self.leads: set[str] = set()

    def run(self, steps: Iterable[Due]) -> None:
        """Send all steps. Time that the collector was away is not made up for in a burst: all that follows is later."""
        behind = self._clock()
        batch: list[Due] = []
        for due in steps:
            while (wait := behind + due.at - self._clock()) > 0 and not self._stopping.is_set():
                behind += self._send(batch)
                batch = []
                self._stopping.wait(min(max(wait, _TICK), 1.0))
            if self._stopping.is_set():
                return
            self.leads.add(lead_id("email", due.person.email))
            batch.append(due)
        self._send(batch)

    def _send(self, batch: list[Due]) -> float:
        """Send a batch; seconds that were lost with waiting for the collector."""
        events = [self.event(due) for due in batch if due.step.door == "events"]
        lost = self._post("/v1/events", json=events, members=len(events)) if events else 0.0
        for due in batch:
            if due.step.door == "form":
                lost += self._post(f"/v1/forms/{WEBSITE}", data=due.step.body)
            elif due.step.door == "google":
                lost += self._post(f"/v1/webhooks/{GOOGLE}", json=self.google_lead(due))
        return lost

    def event(self, due: Due) -> dict[str, Any]:
        """A marketing event, of now or of some time ago."""
        at = self._now() - timedelta(seconds=due.step.ago)
        return {
            "event_id": due.step.event_id,
            "occurred_at": at.isoformat(),
            "source": WEBSITE,
            **due.step.body,
        }

    def google_lead(self, due: Due) -> dict[str, Any]:
        """A lead as Google Ads posts it."""
        at = self._now().strftime("%Y-%m-%dT%H:%M:%SZ")
        return {
            "lead_id": due.step.event_id,
            "lead_submit_time": at,
            "google_key": self._google_key,
            **due.step.body,
        }

    def _post(self, path: str, *, members: int = 1, **body: Any) -> float:
        lost = 0.0
        while not self._stopping.is_set():
            try:
                answer = self._client.post(path, **body)
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code not in (
                httpx.codes.SERVICE_UNAVAILABLE,
                httpx.codes.TOO_MANY_REQUESTS,
            ):
                if answer.is_success:
                    self.sent += members
                else:
                    self.refused += members
                break
            self._stopping.wait(_AGAIN)
            lost += _AGAIN
        return lost
