"""What those who watch a stage on Kafka are told: readiness, metrics."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

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


def probes_of(driver: KafkaDriver) -> Probes:
    assert driver.running is not None
    return Probes(driver.running.app.readiness)


def scraped(probes: Probes) -> dict[tuple[str, str], float]:
    """Samples of the stage `counting`, by name and by the label beside the stage."""
    text = httpx.get(f"{probes.url}/metrics").text
    return {
        (sample.name, sample.labels.get("outcome", sample.labels.get("reason", sample.labels.get("partition", "")))): (
            sample.value
        )
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.labels.get("stage") == "counting"
    }


def test_a_stage_that_works_is_ready_and_tells_what_it_did(driver: KafkaDriver) -> None:
    driver.start(counting(driver.name))
    with probes_of(driver) as probes:
        before = scraped(probes)
        for value in (b"x", b"x", b"refuse"):
            driver.send(driver.name("events"), b"ana", value)
        driver.settle()
        driver.outcomes("counting")  # comes back once they are counted
        now = scraped(probes)
        ready = httpx.get(f"{probes.url}/readyz")

        until(
            lambda: all(scraped(probes).get(("baton_consumer_lag_records", str(n))) == 0 for n in range(4)),
            10,
            "no lag",
        )

    def more(name: str, label: str = "") -> float:
        return now.get((name, label), 0.0) - before.get((name, label), 0.0)

    assert ready.status_code == 200
    assert (more("baton_records_total", "processed"), more("baton_records_total", "failed")) == (2, 1)
    assert more("baton_failed_total", "schema_violation") == 1
    assert more("baton_batch_seconds_count") >= 1
    assert now["baton_breaker_open", ""] == 0


def test_a_stage_that_stopped_is_not_ready_and_says_why(driver: KafkaDriver) -> None:
    driver.start(counting(driver.name), consecutive=3)
    for _ in range(9):
        driver.send(driver.name("events"), b"ana", b"refuse")
    driver.wait_for_stop("counting")
    with probes_of(driver) as probes:
        until(lambda: httpx.get(f"{probes.url}/readyz").status_code == 503, 10, "readiness to go red")
        conditions = httpx.get(f"{probes.url}/readyz").json()["conditions"]

        why = "3 records in a row failed (schema_violation × 9); tries again every 0.5 s"
        assert conditions["counting.breaker"] == {"ok": False, "why": why}
        assert scraped(probes)["baton_breaker_open", ""] == 1
        assert httpx.get(f"{probes.url}/healthz").status_code == 200
