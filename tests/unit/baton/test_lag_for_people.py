from __future__ import annotations

from typing import Any

import pytest
from typer.testing import CliRunner

from baton import lags
from baton.cli import app


def row(committed: int | None, end: int, records: int) -> dict[str, Any]:
    return {
        "stage": "ingest", "topic": "marketing.events", "partition": 0, "committed": committed, "end": end,
        "records": records,
    }  # fmt: skip


def printed(monkeypatch: pytest.MonkeyPatch, *rows: dict[str, Any]) -> tuple[str, str]:
    monkeypatch.setattr(lags, "of_all_stages", lambda _: list(rows))
    result = CliRunner().invoke(app, ["lag"])
    return result.stdout, result.stderr


def test_offsets_that_hold_no_record_are_explained_beside_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    table, note = printed(monkeypatch, row(109, 110, 0), row(5, 9, 3))

    assert table == "ingest\tmarketing.events\t0\t109\t110\t0\ningest\tmarketing.events\t0\t5\t9\t3\n"
    assert note == "The offsets from committed to end hold markers of transactions, too, which are no records.\n"


@pytest.mark.parametrize("one", [row(110, 110, 0), row(None, 7, 7), row(4, 9, 5)])
def test_where_each_offset_is_a_record_there_is_nothing_to_explain(
    monkeypatch: pytest.MonkeyPatch, one: dict[str, Any]
) -> None:
    assert printed(monkeypatch, one)[1] == ""
