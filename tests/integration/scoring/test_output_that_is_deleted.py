"""`leads.scored` is deleted under a scoring worker: it ends, says why, and misses nothing once there is one again."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

from baton import provisioning
from baton.settings import Settings
from tests.audit import checks
from tests.audit.records import Seen, read_all
from tests.deletion import delete
from tests.faults.workers import Worker
from tests.unit.scoring.scoring_world import value
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.real_kafka, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[3]
CONFIG = ROOT / "tests" / "cases" / "a-form-reaches-its-queue" / "config"
WAIT = 90.0


@pytest.fixture
def settings(real_kafka: str, topic_prefix: str, tmp_path: Path) -> Settings:
    return Settings(kafka=real_kafka, topic_prefix=topic_prefix, config_dir=CONFIG, data_dir=tmp_path / "data")


@pytest.fixture
def worker(settings: Settings, tmp_path: Path) -> Iterator[Worker]:
    """As it ships, not started yet."""
    environment = {
        "BATON_KAFKA": settings.kafka or "",
        "BATON_TOPIC_PREFIX": settings.topic_prefix,
        "BATON_CONFIG_DIR": str(CONFIG),
        "BATON_DATA_DIR": str(settings.data_dir),
        "BATON_METRICS_PORT": "0",
        "PYTHONPATH": str(ROOT),
    }
    made = Worker("scoring", "one", [sys.executable, "-m", "baton", "scoring"], environment, tmp_path)
    yield made
    made.kill()


def send(settings: Settings, *names: str) -> None:
    """An event of each name, each of one of twenty leads."""
    producer = Producer({"bootstrap.servers": settings.kafka or "", "enable.idempotence": True})
    for number, name in enumerate(names):
        lead = f"lead-{number % 20}"
        producer.produce(settings.topic_prefix + "leads.events", value(name, lead=lead), lead.encode())
    assert producer.flush(WAIT) == 0


def test_a_scoring_worker_whose_output_is_deleted_and_made_anew_scores_every_event_once(
    settings: Settings, worker: Worker, tmp_path: Path
) -> None:
    def seen(name: str) -> list[Seen]:
        return read_all(settings.kafka or "", [settings.topic_prefix + name])

    def said() -> str:
        return (tmp_path / "scoring-one.log").read_text(errors="replace")

    def ended() -> bool:
        codes.extend(code for code in [worker.tend()] if code is not None)
        return len(codes) >= 2 and f"there is no topic {settings.topic_prefix}leads.scored" in said()

    def scored(count: int) -> bool:
        worker.tend()
        return len(seen("leads.scored")) >= count

    codes: list[int] = []
    before, after = [f"before-{n}" for n in range(200)], [f"after-{n}" for n in range(200)]
    provisioning.apply_topics(settings, [])
    worker.start()
    send(settings, *before)
    until(lambda: scored(len(before)), WAIT, "all that came first to be scored", every=0.5)
    delete(settings.kafka or "", settings.topic_prefix + "leads.scored")
    send(settings, *after)
    until(ended, WAIT, "the worker to end for want of the topic, and to say so", every=0.2)
    provisioning.apply_topics(settings, [])
    send(settings, *before, "last")
    until(lambda: scored(len(after) + 1), WAIT, "all that came since to be scored", every=0.5)
    code = worker.leave()

    due = [one for one in seen("leads.events") if one.value and not one.value["event"]["event_id"].startswith("before")]
    failed = seen("scoring.failed")
    assert (code, set(codes)) == (0, {1})
    assert failed == []
    assert list(checks.every_lead_event_is_scored_once(due, seen("leads.scored"), failed)) == []
