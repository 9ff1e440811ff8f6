import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from baton.up import readings
from baton.up.stages import handoff, stage_sample


def reading(records: int, rounds: list[float]) -> readings.Reading:
    registry = CollectorRegistry()
    counter = Counter("baton_records_total", "x", ["stage", "outcome"], registry=registry)
    counter.labels("ingest", "processed").inc(records)
    counter.labels("scoring", "processed").inc(1_000)
    histogram = Histogram("baton_batch_seconds", "x", ["stage"], buckets=(0.01, 0.1, 1.0), registry=registry)
    for seconds in rounds:
        histogram.labels("ingest").observe(seconds)
    Counter("other_total", "not ours", registry=registry).inc()
    return readings.parse(generate_latest(registry).decode())


def test_records_of_all_workers_of_a_stage_are_added_up_and_others_left_out() -> None:
    assert readings.total([reading(3, []), reading(4, [])], "baton_records_total", stage="ingest") == 7


def test_a_rate_is_what_came_over_the_time_between() -> None:
    sample = stage_sample("ingest", [reading(50, [])], [reading(30, [])], 10.0)

    assert (sample.records, sample.per_second) == (50, 2.0)


def test_a_worker_that_began_anew_has_no_negative_rate() -> None:
    assert stage_sample("ingest", [reading(5, [])], [reading(500, [])], 10.0).per_second == 0.0


def test_the_lag_of_a_stage_whose_worker_died_is_not_told_as_none() -> None:
    lag = {("baton_consumer_lag_records", frozenset({("stage", "ingest"), ("partition", str(n))})): 2.0 for n in "01"}

    assert stage_sample("ingest", [lag], [], 1.0).lag == 4
    assert stage_sample("ingest", [reading(5, [])], [lag], 1.0).lag is None
    assert stage_sample("ingest", [], [lag], 1.0).lag is None


def test_latency_is_of_the_rounds_between_two_looks() -> None:
    slow_before = [0.5] * 100
    sample = stage_sample("ingest", [reading(1, slow_before + [0.05] * 10)], [reading(1, slow_before)], 10.0)

    assert sample.p50 == pytest.approx(0.055)  # the middle of the bucket from 0.01 to 0.1


def test_an_empty_histogram_has_no_quantile() -> None:
    assert readings.quantile({}, 0.5) is None
    assert handoff([]) is None


def test_what_lies_above_the_last_bound_counts_as_that_bound() -> None:
    assert readings.quantile({1.0: 0, float("inf"): 5}, 0.5) == 1.0


@given(st.lists(st.floats(0.0, 2.0), min_size=1, max_size=50), st.sampled_from((0.25, 0.5, 0.75)))
def test_a_quantile_lies_in_the_bucket_of_the_true_one(values: list[float], q: float) -> None:
    bounds = (0.25, 0.5, 1.0, 2.0)
    counts = {bound: float(sum(value <= bound for value in values)) for bound in bounds}
    true = sorted(values)[math.ceil(q * len(values)) - 1]
    upper = next(bound for bound in bounds if true <= bound)
    lower = max((bound for bound in bounds if bound < upper), default=0.0)

    found = readings.quantile(counts, q)

    assert found is not None
    assert lower <= found <= upper


def test_what_an_idle_worker_says_again_is_not_read_again() -> None:
    ours = 'baton_breaker_open{stage="ingest"} 0.0\n'
    first, again = (readings.parse(f"process_cpu_seconds_total {n}\n{ours}") for n in (1, 2))

    assert first is again
    assert first != readings.parse(ours.replace("0.0", "1.0"))
    assert list(first) == [("baton_breaker_open", frozenset({("stage", "ingest")}))]
