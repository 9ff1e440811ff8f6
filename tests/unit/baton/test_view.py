from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from rich.console import Console

from baton.up import plain, view
from baton.up.presenters import JsonPresenter, PlainPresenter
from baton.up.snapshot import QueueSample, RepSample, RoutedSample, Snapshot, StageSample
from baton.up.state import Running
from baton.up.tips import tips, typed

RUNNING = Running(
    pid=1, born=1.0, collector="c", sales="s", kafka="k", database_url="d", metrics=[], pids={}, data_dir="."
)
ROUTED = RoutedSample(
    "a-1",
    datetime(2026, 11, 2, 9, 15, 7, tzinfo=UTC),
    "Head of Sales, Acme",
    "emea-enterprise",
    "ana",
    "emea-enterprise",
    "next in turn",
    "kim@acme.example",
    0.031,
)
SNAPSHOT = Snapshot(
    at=datetime(2026, 11, 2, 9, 15, 8, tzinfo=UTC),
    uptime=125.0,
    stages=(
        StageSample("ingest", 1234, 19.6, 0.012, 0.09, 3, 2, 1),
        StageSample("routing", 1200, 18.2, None, None, None, 0, 1, restarts=2, breaker_open=True),
    ),
    queues=(
        QueueSample("emea-enterprise", (RepSample("ana", 30, 3, 0.6), RepSample("bo", 22, 2, 0.4)), waiting=4),
        QueueSample("general", ()),
    ),
    routed=(ROUTED,),
    handoff=(0.08, 0.15),
)


def drawn(width: int = 120, rows: int = 40, of: Snapshot | None = None) -> str:
    console = Console(width=width, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    console.print(view.render(of or SNAPSHOT, "http://127.0.0.1:8080", rows=rows))
    return console.export_text()


def test_the_view_shows_rates_latencies_shares_and_reasons() -> None:
    text = drawn()

    for part in ("1,234", "19.6", "12 ms", "90 ms", "2 restarts", "stopped: too much fails", "p50 80 ms, p99 150 ms"):
        assert part in text
    for part in ("3 of 5, 60 %", "due 60 %", "4 wait", "emea-enterprise → ana", "next in turn", "31 ms", "2 min"):
        assert part in text


def test_the_view_shows_no_address_of_a_lead() -> None:
    assert "kim@acme" not in drawn()


def test_one_restart_is_one() -> None:
    stages = tuple(replace(stage, restarts=1) for stage in SNAPSHOT.stages)
    text = drawn(of=replace(SNAPSHOT, stages=stages))

    assert "(1 restart)" in text
    assert "1 restarts" not in text


def test_the_view_fits_small_terminals() -> None:
    text = drawn(width=80, rows=24)

    assert max(map(len, text.splitlines())) <= 80
    assert len(text.splitlines()) <= 24


def test_plain_lines_say_the_same() -> None:
    text = "\n".join([*plain.summary(SNAPSHOT), plain.routed(ROUTED)])

    assert "ingest 1,234 (19.6/s, lag 3, failed 2)" in text
    assert "routing 1,200 (18.2/s, lag –, failed 0, stopped: too much fails)" in text, (
        "a lag that nobody can tell is not told as none"
    )
    assert "ana 30, of late 3 of 5 (due 60 %)" in text
    assert "4 wait for somebody" in text
    assert "routed Head of Sales, Acme: emea-enterprise → ana (next in turn, 31 ms after capture)" in text


def test_plain_summaries_come_every_few_seconds_and_leads_at_once() -> None:
    lines: list[str] = []
    now = [0.0]
    presenter = PlainPresenter(lines.append, lambda: now[0])
    presenter.show(SNAPSHOT, [ROUTED])
    assert len(lines) == 1
    now[0] = 5.0
    presenter.show(SNAPSHOT, [])

    assert len(lines) == 1 + len(plain.summary(SNAPSHOT))


def test_json_lines_begin_with_ready_whatever_was_noted_before() -> None:
    lines: list[str] = []
    presenter = JsonPresenter(lines.append)
    presenter.step("starting")
    presenter.notice("port 8080 is taken")
    presenter.ready(RUNNING)
    presenter.show(SNAPSHOT, [ROUTED])
    events = [orjson.loads(line) for line in lines]

    assert [event["event"] for event in events] == ["ready", "notice", "routed", "sample"]
    assert events[2]["rep"] == "ana"
    assert "kim@acme" not in lines[2]


def test_a_sample_is_said_once_and_only_when_there_is_something_to_say() -> None:
    lines: list[str] = []
    presenter = JsonPresenter(lines.append)
    later = replace(SNAPSHOT, at=SNAPSHOT.at + timedelta(seconds=1))
    for snapshot in (Snapshot(SNAPSHOT.at, 0.0), SNAPSHOT, SNAPSHOT, later):
        presenter.show(snapshot, [])

    assert [orjson.loads(line)["at"] for line in lines] == ["2026-11-02T09:15:08+00:00", "2026-11-02T09:15:09+00:00"]


def test_the_tips_hold_a_form_to_post_and_how_to_ask_for_that_person() -> None:
    text = "\n".join(tips(ROUTED, "http://127.0.0.1:8080", ".venv/bin/baton"))

    assert "curl http://127.0.0.1:8080/v1/forms/website -d email=kim@acme.example" in text
    assert "  .venv/bin/baton explain kim@acme.example" in text
    assert "curl 'http://[::1]:8080/v1/forms/website' -d" in "\n".join(tips(ROUTED, "http://[::1]:8080", "baton"))


@pytest.mark.parametrize(
    ("program", "here", "path", "words"),
    [
        (".venv/bin/baton", "", "", ".venv/bin/baton"),
        ("{root}/.venv/bin/baton", "", "", ".venv/bin/baton"),
        ("{root}/.venv/bin/baton", "", "{root}/.venv/bin", "baton"),
        ("{root}/.venv/bin/baton", "config", "", "{root}/.venv/bin/baton"),
        ("{root}/baton/__main__.py", "", "", ".venv/bin/python -m baton"),
    ],
)
def test_the_program_is_named_as_somebody_would_type_it(
    tmp_path: Path, program: str, here: str, path: str, words: str
) -> None:
    for name in ("baton", "python"):
        file = tmp_path / ".venv" / "bin" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(0o755)
    program, path, words = (text.format(root=tmp_path) for text in (program, path, words))

    assert words == typed(program, f"{tmp_path}/.venv/bin/python", tmp_path / here, path)
