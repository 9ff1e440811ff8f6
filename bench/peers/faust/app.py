"""A stock Faust agent with a Table (in memory, with its changelog): at least once. Run as a Faust worker is."""

from __future__ import annotations

import faust

from bench.peers.work import Place, Record, Work

place, work = Place.of_environment(), Work()
app = faust.App(
    place.group,
    broker=f"kafka://{place.bootstrap}",
    topic_partitions=place.partitions,
    topic_replication_factor=1,
    topic_disable_leader=True,
    store="memory://",
    datadir=str(place.data),
    web_enabled=False,
    consumer_auto_offset_reset="earliest",
    broker_max_poll_records=4_000,
    stream_buffer_maxsize=16_384,
    producer_linger=0.02,
)
source = app.topic(place.source, key_serializer="raw", value_serializer="raw", key_type=bytes, value_type=bytes)
out = app.topic(place.out, key_serializer="raw", value_serializer="raw", partitions=place.partitions)
profiles = app.Table("profiles", partitions=place.partitions, key_type=bytes, value_type=bytes)


@app.agent(source)
async def score(stream: faust.StreamT[bytes]) -> None:
    """Score each event."""
    async for event in stream.events():
        message = event.message
        record = Record(event.key, event.value, message.headers, int(message.timestamp * 1000))
        output, profiles[event.key] = work.one(record, profiles.get(event.key))
        # Scoring writes no header without a value.
        await out.send(key=output.key, value=output.value, headers=dict(output.headers))  # type: ignore[arg-type]


if __name__ == "__main__":
    app.main()
