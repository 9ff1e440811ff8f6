"""What a replay says of one record, of several, and of none."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from typer.testing import CliRunner

from baton import replay
from baton.cli import app, replaying
from baton.failed import Selection
from baton.replay import Plan, Request
from baton.settings import Settings


def plan(records: int, left_out: int) -> Plan:
    made = Plan(Request(Selection()), {}, left_out=left_out, notices=left_out)
    made.groups["ingest", "no_key", "marketing.events"] = records
    for names in (made.failed_again, made.overtaken, made.gone):
        names |= {f"ingest-0-{n}" for n in range(left_out)}
    return made


@pytest.mark.parametrize(("left_out", "right", "wrong"), [(1, "1 is left out", "are"), (2, "2 are left out", "is")])
def test_one_is_and_several_are_left_out(
    capsys: pytest.CaptureFixture[str], left_out: int, right: str, wrong: str
) -> None:
    replaying._print_plan(plan(3, left_out))
    first, *lines = capsys.readouterr().out.splitlines()

    assert (first, len(lines)) == ("3 × ingest no_key → marketing.events", 5)
    assert sum(right in line for line in lines) == 4
    assert not any(f"{left_out} {wrong} " in line or f" and {wrong} left out" in line for line in lines)


@pytest.mark.parametrize(
    ("records", "done", "words"),
    [
        (31, None, "31 would be replayed"),
        (31, 30, "30 of 31 replayed"),
        (0, 0, "nothing to replay"),
        (0, None, "nothing to replay"),
    ],
)
def test_what_was_only_asked_is_not_told_as_done(
    capsys: pytest.CaptureFixture[str], records: int, done: int | None, words: str
) -> None:
    replaying._print_result(plan(records, 0), done, as_json=False)

    assert capsys.readouterr().out == f"{words}\n"


def test_who_interrupts_a_replay_hears_how_many_are_safe(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_: Settings, __: Plan, progress: Callable[[int], None]) -> int:
        progress(500)
        progress(500)
        raise KeyboardInterrupt

    monkeypatch.setattr(replay, "replay", interrupted)
    with pytest.raises(KeyboardInterrupt):
        replaying._replay(Settings(), plan(3000, 0))

    assert capsys.readouterr().err == "1,000 records were replayed and noted, of 3,000; run it again for the rest\n"


@pytest.mark.parametrize(
    ("arguments", "mend"),
    [
        (("replay", "--all", "--stage", "ingest"), "--all and filters are given. Give either --all or filters"),
        (("replay", "ingest-0-0", "--all"), "--all and ids are given. Give either --all or ids"),
        (("show", "ingest-0-0", "--value", "--json"), "--value gives bytes, and --json a document. Give one of them"),
    ],
)
def test_what_excludes_each_other_is_named(arguments: tuple[str, ...], mend: str) -> None:
    result = CliRunner().invoke(app, ["failed", *arguments])

    assert result.exit_code == 2
    assert mend in result.output
