"""What a worker says at `/readyz`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

SECONDS = 1.0
"""A worker that takes longer than that to say whether it is ready is not."""


@dataclass(frozen=True, slots=True)
class Health:
    """Whether a worker may be given work. `unmet`: why not, by the condition; under "" where it named none."""

    ready: bool
    unmet: Mapping[str, str] = field(default_factory=dict)

    @property
    def why(self) -> str:
        """Why not, in one line; empty where it is ready."""
        return "; ".join(f"{name}: {why}" if name else why for name, why in self.unmet.items())

    def stopped(self, stage: str) -> str:
        """Why the breaker of `stage` stopped it; empty where it did not."""
        return self.unmet.get(f"{stage}.breaker", "")


def health(address: str) -> Health:
    """What the worker at `address` says of itself."""
    try:
        answer = httpx.get(f"{address}/readyz", timeout=SECONDS)
    except httpx.HTTPError:
        return Health(ready=False, unmet={"": "it does not answer"})
    if answer.status_code == httpx.codes.OK:
        return Health(ready=True)
    try:
        conditions = answer.json()["conditions"]
        unmet = {str(name): str(one["why"]) for name, one in conditions.items() if not one["ok"]}
    except (ValueError, KeyError, TypeError, AttributeError):
        unmet = {"": f"it answers {answer.status_code}"}
    return Health(ready=False, unmet=unmet)
