"""How a signal fades with age. Ages and spans are in seconds; an age below zero counts as zero."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["half_life", "linear", "window"]


@dataclass(frozen=True, slots=True)
class Decay:
    """One way of fading, and its span in seconds (above zero)."""

    kind: Kind
    span: float

    def words(self, span: str) -> str:
        """In words, with `span` as it is written in the file."""
        return {
            "half_life": f"halves every {span}",
            "linear": f"fades to nothing over {span}",
            "window": f"counts for {span}",
        }[self.kind]


def worth(points: float, age: float, decay: Decay | None) -> float:
    """What `points` are worth at `age`.

    half-life h: p·2^(-a/h); linear d: p·max(0, 1 - a/d); window d: p while a < d; None: p for ever.
    """
    if decay is None or age <= 0:
        return points
    if decay.kind == "half_life":
        return float(points * 2.0 ** (-age / decay.span))
    if decay.kind == "linear":
        return points * max(0.0, 1.0 - age / decay.span)
    return points if age < decay.span else 0.0


def fading(points: float, decay: Decay | None) -> Callable[[float], float] | None:
    """`worth` as a function of the age alone, for `points` that fade in one way; None where they do not."""
    if decay is None:
        return None
    span = decay.span
    if decay.kind == "half_life":
        return lambda age: points * 2.0 ** (-age / span) if age > 0 else points
    if decay.kind == "linear":
        return lambda age: points * max(0.0, 1.0 - age / span) if age > 0 else points
    return lambda age: points if age < span else 0.0
