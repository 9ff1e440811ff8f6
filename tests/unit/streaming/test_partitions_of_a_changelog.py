"""A stage does not start where partitions of its source have none of its changelog."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from streaming.faust import offsets
from streaming.faust.engine import Engine
from streaming.faust.faults import TopicMissing
from streaming.faust.offsets import demand_partitions
from streaming.faust.settings import EngineSettings
from streaming.probes import Readiness
from streaming.stage import Codec, Stage

KEEPS = Stage("s", "in", "s.failed", lambda _: None, changelog="s.state", codec=Codec(dumps=bytes, loads=bytes))
MARKS = Stage("s", "in", "s.failed", lambda _: None, changelog="s.state")


@pytest.mark.parametrize(("stage", "source", "changelog"), [(KEEPS, 8, 8), (MARKS, 8, 8), (MARKS, 8, 24)])
def test_each_partition_has_its_place(stage: Stage, source: int, changelog: int) -> None:
    demand_partitions(stage, {"in": source, "s.state": changelog})


@pytest.mark.parametrize(
    ("stage", "source", "changelog", "mend"),
    [
        (KEEPS, 8, 4, "they must be equal"),
        (KEEPS, 8, 24, "they must be equal"),
        (MARKS, 8, 4, r"--alter --topic s.state --partitions 8"),
    ],
)
def test_a_partition_without_one_is_said_with_the_mend(stage: Stage, source: int, changelog: int, mend: str) -> None:
    with pytest.raises(TopicMissing, match=rf"s.state has {changelog} partitions, in has {source}: .*{mend}"):
        demand_partitions(stage, {"in": source, "s.state": changelog})


def test_topics_that_its_outputs_go_to_have_to_be_there_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One that is missing is said at the start, not when the first record for it comes."""
    stage = replace(MARKS, outputs=("out", "other"))
    counts = {"in": 8, "s.failed": 8, "s.state": 8, "out": 8}
    settings = EngineSettings(bootstrap="127.0.0.1:1", group="g", data_dir=tmp_path)
    monkeypatch.setattr(EngineSettings, "offset_reader", lambda *_: SimpleNamespace(close=lambda: None))
    monkeypatch.setattr(offsets, "partition_counts", lambda _: counts)
    monkeypatch.setattr(offsets, "SHOW_SECONDS", 0.0)
    engine = Engine(stage, settings, Readiness())
    with pytest.raises(TopicMissing, match="there is no topic other"):
        engine._demand_topics()
    counts["other"] = 8
    engine._demand_topics()
