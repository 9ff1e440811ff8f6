"""What the demo remembers from run to run: its world's seed, and whose turn is next. So nobody comes twice."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

FILE = "demo.json"


@dataclass(frozen=True, slots=True)
class Turn:
    """People number `first` to `first + people - 1` of the world `seed` are this run's."""

    seed: int
    first: int
    people: int


def take_turn(data_dir: Path, people: int) -> Turn:
    """Reserve the next `people` persons; a run that is killed does not give back those that it had not come to."""
    path = data_dir / FILE
    try:
        known = json.loads(path.read_text())
        seed, first = int(known["seed"]), int(known["next"])
    except (OSError, ValueError, KeyError, TypeError):
        seed, first = secrets.randbits(24), 1  # another world in each data folder, which may share a broker
    path.write_text(json.dumps({"seed": seed, "next": first + people}) + "\n")
    return Turn(seed, first, people)
