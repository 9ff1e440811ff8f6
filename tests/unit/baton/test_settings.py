import pytest
from pydantic import ValidationError

from baton.settings import Settings, describe, masked


def test_every_setting_says_what_it_means() -> None:
    assert [row.name for row in describe(Settings(), {}) if not row.meaning] == []


def test_a_setting_tells_whether_it_came_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATON_KAFKA", "kafka-1:9092")
    rows = {row.name: row for row in describe(Settings())}

    assert (rows["BATON_KAFKA"].value, rows["BATON_KAFKA"].source) == ("kafka-1:9092", "environment")
    assert (rows["BATON_COLLECTOR_PORT"].value, rows["BATON_COLLECTOR_PORT"].source) == ("8080", "default")


def test_a_password_in_a_url_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATON_DATABASE_URL", "postgresql://baton:hunter2@db:5432/baton")

    shown = {row.name: row.value for row in describe(Settings())}["BATON_DATABASE_URL"]

    assert shown == "postgresql://baton:***@db:5432/baton"


def test_a_password_with_a_colon_is_masked_whole() -> None:
    assert masked("x://u:a:b:c@h") == "x://u:***@h"
    assert masked("x://u:a@b@h") == "x://u:***@h"


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("postgresql://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgres://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql+psycopg://u@h/d", "postgresql+psycopg://u@h/d"),
    ],
)
def test_a_url_without_a_driver_gets_the_one_that_is_installed(given: str, used: str) -> None:
    assert used == Settings(database_url=given).sqlalchemy_url


@pytest.mark.parametrize(("text", "seconds"), [("60", 60), ("90s", 90), ("5m", 300), ("0", 0), ("250ms", 0.25)])
def test_the_breaker_takes_seconds_and_durations(monkeypatch: pytest.MonkeyPatch, text: str, seconds: float) -> None:
    monkeypatch.setenv("BATON_BREAKER_RESUME", text)

    assert seconds == Settings().breaker_resume


def test_a_topic_prefix_that_kafka_would_refuse_is_refused_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATON_TOPIC_PREFIX", "team a/")

    with pytest.raises(ValidationError):
        Settings()
