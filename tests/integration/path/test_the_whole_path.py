"""From an event to a sales queue, through all three stages."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.path import WholePath

CASES = Path(__file__).parents[2] / "cases"
NOW = datetime(2026, 6, 1, 10, 0, tzinfo=UTC)  # a Monday
FORM = CASES / "a-form-reaches-its-queue"

pytestmark = pytest.mark.postgres


def lines(case: Path) -> list[bytes]:
    return (case / "input.jsonl").read_bytes().splitlines()


def fits(expected: object, actual: object) -> bool:
    """Whether `actual` has at least what `expected` has; lists and texts are the same."""
    if isinstance(expected, dict):
        return isinstance(actual, dict) and all(fits(part, actual.get(name)) for name, part in expected.items())
    if isinstance(expected, list):
        return (
            isinstance(actual, list)
            and len(expected) == len(actual)
            and all(fits(one, other) for one, other in zip(expected, actual, strict=True))
        )
    return expected == actual


def in_short(path: WholePath) -> dict[str, list[dict[str, Any]]]:
    """Each topic's records: their values, or for what failed the reason and the field it names."""
    short: dict[str, list[dict[str, Any]]] = {}
    for topic, records in path.seen().items():
        for seen in records:
            failed: dict[str, Any] = {
                name: seen.headers[name] for name in ("baton_reason", "baton_detail") if name in seen.headers
            }
            short.setdefault(topic, []).append(failed if topic.endswith(".failed") else seen.value or {})
    short["suppressed"] = [{"reason": reason} for reason in path.suppressed().values()]
    return short


@pytest.mark.parametrize("case", sorted(CASES.iterdir()), ids=lambda case: case.name)
def test_case(case: Path, database_url: str) -> None:
    with WholePath(case / "config", database_url, NOW) as path:
        path.send(lines(case))
        found, report = in_short(path), path.audit()

    for topic, expected in orjson.loads((case / "expected.json").read_bytes()).items():
        left = list(found.get(topic, []))
        for one in expected:
            match = next((other for other in left if fits(one, other)), None)
            assert match is not None, f"{topic} has no {one} among {left}"
            left.remove(match)
        assert left == [], f"{topic} has more than was expected"
    assert report.violations == ()


def test_sending_everything_again_changes_nothing(database_url: str) -> None:
    with WholePath(FORM / "config", database_url, NOW) as path:
        path.send(lines(FORM))
        before = {topic: len(found) for topic, found in path.seen().items()}
        path.send(lines(FORM))
        after = {topic: len(found) for topic, found in path.seen().items()}
        report = path.audit()

    for topic in ("leads.scored", "sales.queue.enterprise", "sales.assignments"):
        assert before[topic] == after[topic], topic
    assert report.violations == ()


def test_any_order_of_arrival_ends_in_the_same_scores(fresh_database: Callable[[], str]) -> None:
    def final_scores(events: list[bytes]) -> dict[str, tuple[Any, ...]]:
        with WholePath(FORM / "config", fresh_database(), NOW) as path:
            path.send(events)
            return {
                seen.key: tuple((seen.value or {})[name] for name in ("fit", "engagement", "grade", "as_of"))
                for seen in path.seen()["leads.scored"]
            }

    ordered = lines(FORM)
    shuffled = random.Random(7).sample(ordered, len(ordered)) + ordered[:2]

    assert final_scores(ordered) == final_scores(shuffled)


def test_a_crash_between_any_two_commits_loses_and_doubles_nothing(database_url: str) -> None:
    from streaming.memory import Crashed

    with WholePath(FORM / "config", database_url, NOW) as path:
        for line in lines(FORM):
            for moment in ("before_commit", "after_commit"):
                path.runner.crash_at = moment
                try:
                    path.send([line])
                except Crashed:
                    path.runner.restart()
        path.runner.crash_at = None
        path.run()
        report = path.audit()

    assert report.violations == ()
    assert report.lines["leads with an MQL transition"] == "1"
