import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from baton.cli import app
from baton.settings import Settings

pytestmark = pytest.mark.usefixtures("clean_environment")
TIME = "Write seconds, or a duration such as 90s, 5m or 2h"
PLAIN = "Write it with letters, digits, dots, hyphens and underscores alone"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("BATON_LOCAL_STATE", "5min", f"'5min' is no time. {TIME}"),
        ("BATON_BREAKER_RESUME", "inf", f"'inf' is no time. {TIME}"),
        ("BATON_BREAKER_RESUME", "nan", f"'nan' is no time. {TIME}"),
        ("BATON_FETCH_REST", "-5", f"'-5' is no time. {TIME}"),
        ("BATON_STATIC_INSTANCE", "maybe", "'maybe' is neither true nor false. Write true or false"),
        ("BATON_BREAKER_SHARE", "nan", "'nan' is no number above 0 and up to 1. Write one, such as 0.5"),
        ("BATON_BREAKER_SHARE", "half", "'half' is no number above 0 and up to 1. Write one, such as 0.5"),
        ("BATON_BREAKER_SHARE", "2", "'2' is no number above 0 and up to 1. Write one, such as 0.5"),
        ("BATON_BREAKER_CONSECUTIVE", "0", "'0' is no whole number of at least 1. Write one, such as 100"),
        ("BATON_SALES_PORT", "70000", "'70000' is no whole number from 0 to 65535. Write one, such as 8081"),
        (
            "BATON_REPLICATION",
            "0",
            "0 replicas hold nothing. Write 1 or more, or -1 for as many as the broker has by default",
        ),
        ("BATON_MIN_INSYNC", "two", "'two' is no whole number of at least 1. Write one, or leave it unset"),
        ("BATON_INSTANCE", "a b", f"'a b' has other characters than a name may have. {PLAIN}"),
        ("BATON_TOPIC_PREFIX", "team a/", f"'team a/' has other characters than a name may have. {PLAIN}"),
        ("BATON_LOG_LEVEL", "loud", "'loud' is none of debug, info, warning, error. Write one of these"),
    ],
)
def test_a_setting_that_cannot_be_used_says_what_may_stand_there(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    monkeypatch.setenv(name, value)

    result = CliRunner().invoke(app, ["status"])

    assert result.exit_code == 2
    assert result.output == f"baton: {name}: {words}\n"


def test_every_setting_has_words_of_its_own_for_what_may_stand_there(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.setenv(f"BATON_{name.upper()}", "\N{PILE OF POO} §")
    with pytest.raises(ValidationError) as error:
        Settings()

    from baton.faulty_settings import unusable

    said = unusable(error.value)
    assert len(said) > 15
    assert [str(one) for one in said if "nput should" in one.message or "tring should" in one.message] == []


@pytest.mark.parametrize(("name", "value"), [("log_level", "INFO"), ("log_format", "Json"), ("log_level", " debug ")])
def test_how_logs_are_written_may_be_said_in_any_case(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"BATON_{name.upper()}", value)

    assert getattr(Settings(), name) == value.strip().lower()
