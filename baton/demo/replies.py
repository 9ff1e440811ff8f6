"""The demo's sales side: people who accept most of what they are offered, decline some, and say what came of it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Collection
from datetime import UTC, datetime
from random import Random
from typing import Any

import httpx

from schemas.ids import derived_id

_EVERY = 2.0  # seconds between two looks at the open offers
_REMEMBERED = 5_000
_ACCEPTED = 0.85
_CLOSED = 0.5
"""Share of accepted leads that are decided upon at once; the others stay with their reps for a while."""
_ENDINGS: tuple[tuple[str, int], ...] = (("won", 2), ("lost", 3), ("disqualified", 3), ("recycled", 2))


class Replies:
    """Answers offers of the demo's own leads (`leads`: their ids, as they come) through the sales API."""

    def __init__(self, client: httpx.Client, seed: int, stopping: threading.Event, leads: Collection[str]) -> None:
        self._client, self._stopping, self._leads = client, stopping, leads
        self._chance = Random(f"replies:{seed}")
        self._answered: deque[str] = deque(maxlen=_REMEMBERED)
        self.accepted = self.declined = 0

    def run(self) -> None:
        """Answer until `stopping` is set; a sales API that is away is tried again."""
        while not self._stopping.wait(_EVERY):
            try:
                for offer in self._offers():
                    self._answer(offer)
            except httpx.TransportError:
                continue

    def _offers(self) -> list[dict[str, Any]]:
        answer = self._client.get("/v1/assignments", params={"status": "offered", "limit": 1_000})
        body = answer.json() if answer.is_success else {}
        found = body.get("assignments", []) if isinstance(body, dict) else body
        return [
            one
            for one in found
            if one.get("rep") and one["lead_id"] in self._leads and one["assignment_id"] not in self._answered
        ]

    def _answer(self, offer: dict[str, Any]) -> None:
        if self._stopping.is_set():
            return
        name = offer["assignment_id"]
        self._answered.append(name)
        if self._chance.random() >= _ACCEPTED:
            reason = self._chance.choice(("not my segment", "on holiday next week", "conflict of interest"))
            self._client.post(f"/v1/assignments/{name}/decline", json={"rep": offer["rep"], "reason": reason})
            self.declined += 1
            return
        self._client.post(f"/v1/assignments/{name}/accept", json={"rep": offer["rep"]})
        self.accepted += 1
        if self._chance.random() < _CLOSED:
            kinds, weights = zip(*_ENDINGS, strict=True)
            kind = self._chance.choices(kinds, weights)[0]
            self._client.post("/v1/outcomes", json=self._outcome(offer, kind))

    def _outcome(self, offer: dict[str, Any], kind: str) -> dict[str, Any]:
        outcome: dict[str, Any] = {
            "outcome_id": derived_id("demo_outcome", offer["assignment_id"], kind),
            "lead_id": offer["lead_id"],
            "assignment_id": offer["assignment_id"],
            "kind": kind,
            "occurred_at": datetime.now(UTC).isoformat(),
        }
        if kind == "won":
            outcome |= {"value": float(self._chance.randrange(2_000, 40_000, 500)), "currency": "EUR"}
        return outcome
