"""Quix Streams: state in RocksDB with its changelog, at least once, as its defaults have it."""

from __future__ import annotations

import warnings
from typing import Any

warnings.filterwarnings("ignore", category=DeprecationWarning)

from quixstreams import Application  # noqa: E402 the filter first
from quixstreams.models import TopicConfig  # noqa: E402

from bench.peers.work import Place, Record, Work  # noqa: E402
from streaming.stage import Output, RawHeaders  # noqa: E402


def main() -> None:
    """Run until killed."""
    place, work = Place.of_environment(), Work()
    app = Application(
        broker_address=place.bootstrap,
        consumer_group=place.group,
        auto_offset_reset="earliest",
        state_dir=str(place.data),
        loglevel="WARNING",
        commit_interval=1.0,
        producer_extra_config={"linger.ms": 20, "queue.buffering.max.messages": 1_000_000},
    )
    source = app.topic(place.source, value_deserializer="bytes", key_deserializer="bytes")
    config = TopicConfig(num_partitions=place.partitions, replication_factor=1)
    out = app.topic(place.out, value_serializer="bytes", key_serializer="bytes", config=config)

    def score(value: bytes, key: bytes, timestamp: int, headers: RawHeaders, state: Any) -> Output:
        output, profile = work.one(Record(key, value, headers, timestamp), state.get_bytes("profile"))
        state.set_bytes("profile", profile)
        return output

    frame = app.dataframe(source).apply(score, stateful=True, metadata=True)
    frame = frame.set_headers(lambda output, _key, _timestamp, _headers: output.headers)
    frame.apply(lambda output: output.value).to_topic(out)
    app.run()


if __name__ == "__main__":
    main()
