"""Topics that somebody deletes under those who write to them."""

from __future__ import annotations

from kafka import KafkaAdminClient

from tests.audit.records import topics_of
from tests.waiting import until


def delete(bootstrap: str, topic: str) -> None:
    """Delete a topic; come back once the broker tells nobody of it any more."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        admin.delete_topics([topic], timeout_ms=30_000)
    finally:
        admin.close()
    until(lambda: topic not in topics_of(bootstrap, topic), 30, f"{topic} to be gone")
