"""The stage of `worker_program` in this process, where a test can hold it up and look inside."""

from __future__ import annotations

from streaming.faust.app import EngineSettings
from streaming.stage import Batch, Codec, Stage
from tests.integration.engine.place import Place

NUMBERS: Codec[int] = Codec(lambda number: b"%d" % number, int)


def counting(place: Place) -> Stage:
    """The output of each record says how many of its key came before it, itself included."""

    def count(batch: Batch[int]) -> None:
        for record in batch.records:
            key = record.key() or b""
            seen = (batch.state.get(key) or 0) + 1
            batch.state.put(key, seen)
            batch.emit(place.prefix + "counts", key, b"%d" % seen, [("of", record.value())])

    names = [place.prefix + name for name in ("events", "counting.failed", "counting.state")]
    return Stage("counting", names[0], names[1], count, changelog=names[2], codec=NUMBERS)


def settings(place: Place, instance: str, poll_interval: float = 60.0) -> EngineSettings:
    return EngineSettings(
        bootstrap=place.bootstrap,
        group=place.prefix + "counting",
        instance=instance,
        data_dir=place.home,
        session_timeout_seconds=6,
        poll_interval_seconds=poll_interval,
        max_records=50,
    )
