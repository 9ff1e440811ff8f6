"""`baton resume` and a stage on Kafka: from its word to what is committed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from baton.resume import Told, resume
from baton.settings import Settings
from streaming.probes import Probes
from tests.integration.engine.kafka_driver import KafkaDriver
from tests.integration.engine.stages import counting
from tests.waiting import until

pytestmark = pytest.mark.kafka


@pytest.fixture
def driver(kafka: str, topic_prefix: str, tmp_path: Path) -> Iterator[KafkaDriver]:
    driver = KafkaDriver(kafka, topic_prefix, tmp_path / "app")
    try:
        yield driver
    finally:
        driver.stop()


def gauge(url: str, name: str) -> float:
    lines = httpx.get(f"{url}/metrics").text.splitlines()
    [value] = [line.rpartition(" ")[2] for line in lines if line.startswith(f'{name}{{stage="scoring"}}')]
    return float(value)


def test_an_operator_brings_a_stage_past_a_burst_and_sees_each_step(driver: KafkaDriver) -> None:
    driver.start(dataclasses.replace(counting(driver.name), name="scoring"), consecutive=5, by_itself=False)
    assert driver.running is not None
    engine = driver.running.app.engines[0]
    with Probes(driver.running.app.readiness, close_breakers=driver.running.app.close_breakers) as probes:
        for value in [b"x"] * 3 + [b"refuse"] * 20 + [b"x"] * 3:
            driver.send(driver.name("events"), b"ana", value)
        driver.wait_for_stop("scoring")
        until(lambda: httpx.get(f"{probes.url}/readyz").status_code == 503, 10, "readiness to go red")
        why = httpx.get(f"{probes.url}/readyz").json()["conditions"]["scoring.breaker"]["why"]
        stood_at, was_open = driver.committed("scoring"), gauge(probes.url, "baton_breaker_open")

        def again() -> None:
            until(lambda: engine.status.heeded and engine.status.breaker.is_open, 20, "it to stop again")

        [stopped] = resume(Settings(), "scoring", urls=[probes.url], pause=lambda _: again())
        [passed] = resume(Settings(), "scoring", 25, urls=[probes.url], pause=lambda _: driver.settle())
        until(lambda: 5 <= gauge(probes.url, "baton_breaker_allowance_records") < 25, 10, "what is left of it to show")
        ready = httpx.get(f"{probes.url}/readyz")
        [back] = resume(Settings(), "scoring", urls=[probes.url])
        until(lambda: gauge(probes.url, "baton_breaker_allowance_records") == 0, 10, "the rest to be taken back")

    assert why.startswith("5 records in a row failed (schema_violation × ")
    assert why.endswith("); waits for an operator")
    assert (stood_at < 8, was_open) == (True, 1)
    assert stopped.stood_still.startswith("5 records in a row failed")
    assert stopped.still.startswith("5 records in a row failed")
    assert passed.stood_still != ""
    assert passed.still == ""
    assert (ready.status_code, back) == (200, Told(probes.url, "", ""))
    assert driver.committed("scoring") == 26
    assert len(driver.records(driver.name("counts"))) == 6
