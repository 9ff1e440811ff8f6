"""What an audit finds amiss: of which stage, what kind of thing, and a sentence that says it."""

from __future__ import annotations

from typing import Literal, NamedTuple

Stage = Literal["ingest", "scoring", "routing"]
STAGES: tuple[Stage, ...] = ("ingest", "scoring", "routing")
Kind = Literal["lost", "doubled in state", "published twice", "wrong"]
"""`wrong`: what is neither, as an output of something that never was."""


class Finding(NamedTuple):
    """One thing that is amiss; the stage is the one whose work shows it."""

    stage: Stage
    kind: Kind
    sentence: str

    def __str__(self) -> str:
        return self.sentence


def lost(stage: Stage, sentence: str) -> Finding:
    return Finding(stage, "lost", sentence)


def doubled(stage: Stage, sentence: str) -> Finding:
    return Finding(stage, "doubled in state", sentence)


def published_twice(stage: Stage, sentence: str) -> Finding:
    return Finding(stage, "published twice", sentence)


def wrong(stage: Stage, sentence: str) -> Finding:
    return Finding(stage, "wrong", sentence)
