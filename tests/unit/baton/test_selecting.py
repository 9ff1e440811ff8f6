"""Options that say which failed records are meant mean what they say, or are refused before any broker is asked."""

from __future__ import annotations

from typing import Any

import pytest
from typer.testing import CliRunner

from baton.cli import app


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATON_KAFKA", "127.0.0.1:1")


def baton(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["failed", *arguments])


@pytest.mark.parametrize("command", ["list", "replay", "export"])
@pytest.mark.parametrize("option", ["--stage", "--reason", "--since", "--until"])
@pytest.mark.parametrize("nothing", ["", " "])
def test_an_option_without_a_value_is_refused_by_its_name(command: str, option: str, nothing: str) -> None:
    result = baton(command, "--reason", "unknown_source", option, nothing)

    assert (result.exit_code, result.output) == (2, f"baton: {option} is empty. Give it a value, or leave it out\n")


@pytest.mark.parametrize(
    ("since", "until"), [("1h", "2h"), ("2026-11-02", "2026-11-02"), ("2026-11-03T01:00+02:00", "2026-11-02T23:00Z")]
)
def test_a_span_that_holds_nothing_is_refused(since: str, until: str) -> None:
    result = baton("replay", "--since", since, "--until", until)

    assert result.exit_code == 2
    assert result.output.startswith(f"baton: --since {since} is not before --until {until}. ")


@pytest.mark.parametrize("option", ["--since", "--until"])
def test_a_time_that_is_none_is_refused_by_the_name_of_its_option(option: str) -> None:
    result = baton("list", option, "yesterday")

    assert result.exit_code == 2
    assert result.output.startswith(f"baton: {option}: `yesterday` is no time. ")
