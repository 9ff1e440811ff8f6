from __future__ import annotations

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from streaming import metrics

PROMISED = {
    "baton_records_total": {"stage", "outcome"},
    "baton_batch_seconds": {"stage"},
    "baton_handoff_seconds": {"queue"},
    "baton_consumer_lag_records": {"stage", "topic", "partition"},
    "baton_consumer_lag_seconds": {"stage"},
    "baton_failed_total": {"stage", "reason"},
    "baton_assignments_total": {"queue", "rep"},
    "baton_offers_open": {"queue"},
    "baton_waiting_leads": {"queue"},
    "baton_outbox_records": set(),
    "baton_outbox_oldest_seconds": set(),
    "baton_sla_breaches_total": {"queue"},
    "baton_source_last_event_timestamp_seconds": {"source"},
    "baton_source_silent": {"source"},
    "baton_breaker_open": {"stage"},
    "baton_breaker_allowance_records": {"stage"},
    "baton_build_info": {"version"},
}


def shown_after_use() -> dict[str, set[str]]:
    for metric in (metrics.RECORDS, metrics.BATCH_SECONDS, metrics.HANDOFF_SECONDS, metrics.LAG_RECORDS):
        metric.labels(*["x"] * len(metric._labelnames))
    for metric in (metrics.LAG_SECONDS, metrics.FAILED, metrics.ASSIGNMENTS, metrics.OFFERS_OPEN):
        metric.labels(*["x"] * len(metric._labelnames))
    for metric in (metrics.WAITING_LEADS, metrics.SLA_BREACHES, metrics.SOURCE_LAST_EVENT, metrics.BREAKER_OPEN):
        metric.labels("x")
    metrics.SOURCE_SILENT.labels("x")
    metrics.BREAKER_ALLOWANCE.labels("x")
    text = generate_latest(metrics.REGISTRY).decode()
    return {
        sample.name.removesuffix("_bucket"): set(sample.labels) - {"le"}
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name.startswith("baton_") and not sample.name.endswith(("_count", "_sum"))
    }


def test_every_promised_metric_has_its_name_and_labels_and_there_are_no_others() -> None:
    assert shown_after_use() == PROMISED


def test_what_became_of_a_batch_sums_to_its_records() -> None:
    stage = "a-stage-of-this-test"
    metrics.count_batch(stage, {"processed": 5, "duplicate": 2, "failed": 4}, {"invalid_json": 3, "no_identifier": 1})
    value = metrics.REGISTRY.get_sample_value
    by_outcome = {
        outcome: value("baton_records_total", {"stage": stage, "outcome": outcome})
        for outcome in ("processed", "duplicate", "failed")
    }

    assert by_outcome == {"processed": 5.0, "duplicate": 2.0, "failed": 4.0}
    assert value("baton_failed_total", {"stage": stage, "reason": "invalid_json"}) == 3.0
