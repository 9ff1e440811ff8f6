import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from baton.cli import app
from baton.refusal import Refusal
from baton.send import BATCH, BadLine, Sent, batches, send


class FakeCollector:
    """Takes events with an e-mail, refuses the others; may be busy for some requests first."""

    def __init__(self, busy: int = 0) -> None:
        self.busy, self.requests = busy, 0
        self.taken: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        if self.busy:
            self.busy -= 1
            return httpx.Response(503, headers={"retry-after": "7"})
        events = [json.loads(line) for line in request.content.splitlines()]
        bad = [{"index": n, "detail": "subject.email is missing"} for n, one in enumerate(events) if "email" not in one]
        self.taken += [one["email"] for one in events if "email" in one]
        if len(bad) == len(events):
            return httpx.Response(422, json={"title": "refused", "errors": bad})
        ids = [one["email"] for one in events if "email" in one]
        return httpx.Response(207 if bad else 202, json={"accepted": len(ids), "event_ids": ids, "refused": bad})

    def client(self) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(self), base_url="http://collector")


def line(**fields: Any) -> bytes:
    return json.dumps(fields).encode() + b"\n"


def test_every_line_of_a_good_file_is_accepted() -> None:
    collector = FakeCollector()

    sent = send([line(email=f"{n}@example.com") for n in range(BATCH + 1)], collector.client())

    assert (sent.accepted, sent.refused, collector.requests) == (BATCH + 1, [], 2)


def test_bad_lines_are_named_by_their_number_and_their_neighbours_are_taken() -> None:
    collector = FakeCollector()
    lines = [line(email="a@example.com"), b"{oops\n", b"\n", line(phone="1"), b"[1]\n", line(email="b@example.com")]

    sent = send(lines, collector.client())

    assert [bad.line for bad in sent.refused] == [2, 4, 5]
    assert "subject.email is missing" in sent.refused[1].reason
    assert collector.taken == ["a@example.com", "b@example.com"]
    assert sent.accepted == 2


def test_a_file_in_which_all_is_refused_names_every_line() -> None:
    sent = send([line(phone="1"), line(phone="2")], FakeCollector().client())

    assert [bad.line for bad in sent.refused] == [1, 2]


def test_a_batch_refused_as_a_whole_is_halved_until_the_bad_member_is_alone() -> None:
    def strict(request: httpx.Request) -> httpx.Response:
        if b"poison" in request.content:
            return httpx.Response(413, json={"title": "too large"})
        return httpx.Response(202, json={"accepted": request.content.count(b"\n") + 1})

    client = httpx.Client(transport=httpx.MockTransport(strict), base_url="http://collector")
    lines = [line(n=0), line(n=1), line(n="poison"), line(n=3)]

    assert send(lines, client) == Sent(accepted=3, refused=[BadLine(3, "too large")])


def test_a_busy_collector_is_asked_again_when_it_said() -> None:
    collector = FakeCollector(busy=2)
    pauses: list[float] = []

    sent = send([line(email="a@example.com")], collector.client(), pause=pauses.append)

    assert (sent.accepted, pauses) == (1, [7.0, 7.0])


def test_a_collector_that_stays_busy_ends_in_a_refusal() -> None:
    with pytest.raises(Refusal, match="too busy"):
        send([line(email="a@example.com")], FakeCollector(busy=10_000).client(), pause=lambda _: None)


def test_a_batch_stays_below_what_the_collector_takes() -> None:
    big = line(email="a@example.com", text="x" * 300_000)

    assert [len(good) for good, _ in batches([big, big, big])] == [1, 1, 1]


def test_no_collector_at_the_address_is_said_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(line(email="a@example.com"))

    result = CliRunner().invoke(app, ["send", str(file), "--url", "http://127.0.0.1:1"])

    assert result.exit_code == 1
    assert "does not answer" in result.output
    assert "Traceback" not in result.output


@pytest.mark.usefixtures("clean_environment")
@pytest.mark.parametrize(("host", "where"), [("::1", "[::1]"), ("::", "[::1]"), ("0.0.0.0", "127.0.0.1")])
def test_where_nothing_is_up_the_collector_of_this_environment_gets_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, host: str, where: str
) -> None:
    monkeypatch.setenv("BATON_HOST", host)
    monkeypatch.setenv("BATON_COLLECTOR_PORT", "1")
    file = tmp_path / "events.jsonl"
    file.write_bytes(line(email="a@example.com"))

    result = CliRunner().invoke(app, ["send", str(file)])

    assert result.exit_code == 1
    assert f"http://{where}:1 does not answer" in result.output


def test_a_missing_file_is_wrong_use(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["send", str(tmp_path / "none.jsonl")])

    assert result.exit_code == 2
    assert "cannot read" in result.output


@pytest.mark.parametrize("url", ["junk", "", "localhost:8080", "ftp://host", "http://", "http://host:x"])
def test_an_address_without_scheme_or_host_is_refused_at_once(tmp_path: Path, url: str) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(line(email="a@example.com"))

    result = CliRunner().invoke(app, ["send", str(file), "--url", url])

    assert result.exit_code == 2
    assert "Write --url http://host:port" in result.output
