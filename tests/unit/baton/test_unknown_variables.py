import json

import pytest
from typer.testing import CliRunner

from baton.check import unknown
from baton.cli import app


@pytest.mark.parametrize(
    ("name", "mend"),
    [
        ("BATON_COLECTOR_PORT", "Did you mean BATON_COLLECTOR_PORT?"),
        ("BATON_KAFAK", "Did you mean BATON_KAFKA?"),
        ("BATON_LOGLEVEL", "Did you mean BATON_LOG_LEVEL?"),
        ("BATON_FOO", "Take it out, or see `baton check` for those that there are"),
        ("BATON_PORT", "Take it out, or see `baton check` for those that there are"),
    ],
)
def test_only_a_near_name_is_suggested_for_an_unknown_variable(name: str, mend: str) -> None:
    assert [(fault.message, fault.mend) for fault in unknown({name: "1"})] == [(f"{name} is no setting", mend)]


def test_settings_in_any_case_and_variables_for_other_uses_are_known() -> None:
    assert (
        unknown({"BATON_HOST": "x", "BATON_host": "x", "BATON_TOKEN": "x", "BATON_DEMO_RATE": "1", "PATH": "/"}) == []
    )


@pytest.mark.usefixtures("clean_environment")
def test_up_says_at_its_start_that_a_variable_is_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATON_COLECTOR_PORT", "9999")
    monkeypatch.setenv("BATON_HOST", "203.0.113.7")  # so that nothing starts

    said = CliRunner().invoke(app, ["up"]).output.splitlines()
    monkeypatch.delenv("BATON_HOST")
    [fault] = json.loads(CliRunner().invoke(app, ["check", "--json"]).output)

    assert said[0] == "BATON_COLECTOR_PORT is no setting. Did you mean BATON_COLLECTOR_PORT?"
    assert said[0] == f"{fault['message']}. {fault['mend']}"
    assert said[1].startswith("baton: BATON_HOST")
