"""`baton failed list`, for people and for programs."""

from __future__ import annotations

import pytest

from tests.integration.baton.failures import baton, told
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
