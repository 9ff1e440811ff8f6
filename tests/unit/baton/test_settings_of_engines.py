"""What a stage's engine is told of what the environment says."""

from __future__ import annotations

from pathlib import Path

import pytest

from baton.settings import Settings
from baton.wiring import engine_settings


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BATON_KAFKA", "nowhere:1")
    monkeypatch.setenv("BATON_DATA_DIR", str(tmp_path))


def test_the_limits_of_the_breaker_reach_the_breaker_of_a_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"CONSECUTIVE": "7", "SHARE": "0.25", "RESUME": "3m"}.items():
        monkeypatch.setenv(f"BATON_BREAKER_{name}", value)
    breaker = engine_settings(Settings(), "scoring").breaker()

    assert (breaker.consecutive, breaker.share, breaker.resume_seconds) == (7, 0.25, 180.0)


@pytest.mark.parametrize(
    ("variable", "value", "told", "becomes"),
    [
        ("BATON_FETCH_REST", "250ms", "rest_seconds", 0.25),
        ("BATON_LOCAL_STATE", "0", "local_state_seconds", 0.0),
        ("BATON_INSTANCE", "one", "instance", "one"),
        ("BATON_TOPIC_PREFIX", "t.", "group", "t.baton-scoring"),
    ],
)
def test_what_else_is_set_reaches_the_engine(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, told: str, becomes: object
) -> None:
    monkeypatch.setenv(variable, value)

    assert getattr(engine_settings(Settings(), "scoring"), told) == becomes


def test_a_worker_is_a_static_member_where_it_has_a_name_for_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATON_STATIC_INSTANCE", "1")
    without = engine_settings(Settings(), "scoring")
    monkeypatch.setenv("BATON_INSTANCE", "one")
    named = engine_settings(Settings(), "scoring")

    assert (without.static_instance, named.static_instance) == (False, True)
