"""`baton failed list`, for people and for programs."""

from __future__ import annotations

import pytest

from tests.integration.baton.failures import baton, on_a_terminal, told
from tests.integration.baton.installation import Installation

pytestmark = pytest.mark.kafka


def test_a_limit_is_obeyed_wherever_it_is_given(here: Installation) -> None:
    for minute in (3, 1, 2):
        here.fails("ingest", b"{}", at=f"2026-11-02T09:0{minute}:00Z")
    rows = baton("list", "--limit", "2").output.splitlines()
    as_json = told("list", "--limit", "2")

    assert [one["failed_at"][14:16] for one in as_json] == ["02", "03"]
    assert [line.split("\t")[0] for line in rows[:2]] == [one["id"] for one in as_json]
    assert rows[2] == "the latest 2 of 3"
    assert rows[3].startswith("3 × ingest")
    assert len(told("list", "--limit", "0")) == len(told("list")) == 3


def test_without_a_terminal_standard_output_has_rows_alone(here: Installation) -> None:
    nothing = baton("list")
    for _ in range(3):
        here.fails("ingest", b"{}")
    listed = baton("list", "--limit", "2")
    names = [line.split("\t")[0] for line in listed.stdout.splitlines()]

    assert (nothing.stdout, nothing.stderr) == ("", "nothing has failed\n")
    assert set(names) <= set(here.ids())
    assert len(names) == 2
    assert listed.stderr.startswith("the latest 2 of 3\n3 × ingest unknown_source, ")
    assert baton("replay", *names).exit_code == 0


def test_that_nothing_fits_is_not_that_nothing_failed(here: Installation) -> None:
    here.fails("ingest", b"{}")
    one = baton("list", "--stage", "scoring").output
    here.fails("ingest", b"{}", reason="invalid_json")
    here.fails("ingest", b"{}", reason="invalid_json")

    assert one == "the only one there is does not fit\n"
    assert baton("list", "--since", "1h").output == "none of the 3 fits\n"
    assert baton("list", "--reason", "json").output == (
        "none of the 3 fits: no reason is `json`; there are invalid_json, unknown_source\n"
    )
    assert baton("replay", "--since", "1h").output == "none of the 3 fits\nnothing to replay\n"


def test_a_long_detail_does_not_fill_a_terminal(here: Installation) -> None:
    here.fails("ingest", b"{}", detail="word " * 100)
    [name] = here.ids()
    _, table = on_a_terminal("list", answer=b"", columns=100)
    shown = baton("show", name).output

    assert 0 < table.count("word") < 15
    assert "…" in table
    assert len(table.splitlines()) < 14
    assert baton("list").stdout.count("word") == shown.count("word") == 100
    assert "None" not in shown
