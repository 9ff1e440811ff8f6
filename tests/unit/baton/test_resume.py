from __future__ import annotations

import os

import pytest
from typer.testing import CliRunner

from baton.cli import app
from baton.embedded.ports import free_port
from baton.refusal import Refusal
from baton.resume import Told, resume
from baton.settings import Settings
from baton.up import state
from streaming.probes import Probes, Readiness

pytestmark = pytest.mark.usefixtures("clean_environment")
WHY = "100 records in a row failed (schema_violation × 100); waits for an operator"


class Worker:
    """A worker whose breaker is open until enough failures may pass."""

    def __init__(self, burst: int, stage: str = "scoring") -> None:
        self.burst, self.stage, self.told = burst, stage, 0
        self.readiness = Readiness()
        self.readiness.set(f"{stage}.breaker", ok=not burst, why=WHY if burst else "")

    def close(self, allowance: int) -> dict[str, str]:
        self.told += 1
        was = WHY if self.burst else ""
        if allowance >= self.burst:
            self.burst = 0
            self.readiness.set(f"{self.stage}.breaker", ok=True)
        return {self.stage: was}

    def probes(self) -> Probes:
        return Probes(self.readiness, close_breakers=self.close)


def told(url: str, allowance: int = 0, stage: str = "scoring") -> list[Told]:
    return resume(Settings(), stage, allowance, [url], pause=lambda _: None)


def test_a_worker_goes_on_where_enough_may_fail_and_stops_again_where_not() -> None:
    with Worker(burst=150).probes() as probes:
        assert told(probes.url) == [Told(probes.url, WHY, WHY)]
        assert told(probes.url, 149) == [Told(probes.url, WHY, WHY)]
        assert told(probes.url, 150) == [Told(probes.url, WHY, "")]
        assert told(probes.url) == [Told(probes.url, "", "")]


def test_the_command_says_what_became_of_it() -> None:
    with Worker(burst=150).probes() as probes:
        stopped = CliRunner().invoke(app, ["resume", "scoring", "--url", probes.url])
        too_few = CliRunner().invoke(app, ["resume", "scoring", "--let-fail", "149", "--url", probes.url])
        gone_on = CliRunner().invoke(app, ["resume", "scoring", "--let-fail", "150", "--url", probes.url])
        closed = CliRunner().invoke(app, ["resume", "scoring", "--url", probes.url])

    assert stopped.exit_code == 1
    assert f"stopped again: {WHY}" in stopped.output
    assert "--let-fail N" in stopped.output
    assert too_few.exit_code == 1
    assert "More than 149 fail. Those that did are in scoring.failed: see `baton failed list`." in too_few.output
    assert (gone_on.exit_code, gone_on.output) == (0, f"{probes.url}: goes on; it had stopped: {WHY}\n")
    assert (closed.exit_code, closed.output) == (0, f"{probes.url}: goes on already, its breaker is closed\n")


def test_every_worker_of_the_stage_that_is_up_is_told_and_no_other() -> None:
    data_dir = Settings().data_dir
    data_dir.mkdir()
    one, two, other = Worker(5), Worker(5), Worker(5, "ingest")
    with one.probes() as first, two.probes() as second, other.probes() as third:
        probes = {"scoring-1": first.url, "scoring-2": second.url, "ingest-1": third.url}
        state.write(
            data_dir,
            state.Running(os.getpid(), state.born(os.getpid()), "", "", "", "", [], {}, str(data_dir), "", probes),
        )
        answers = resume(Settings(), "scoring", 5, pause=lambda _: None)

    assert answers == [Told("scoring-1", WHY), Told("scoring-2", WHY)]
    assert (one.told, two.told, other.told) == (1, 1, 0)


@pytest.fixture(params=["0.0.0.0", "::"])
def everywhere(request: pytest.FixtureRequest) -> str:
    if request.param == "::":
        request.getfixturevalue("ipv6")
    return str(request.param)


def test_where_nothing_is_up_the_worker_of_this_environment_is_told(
    monkeypatch: pytest.MonkeyPatch, everywhere: str
) -> None:
    worker = Worker(5)
    with Probes(worker.readiness, everywhere, close_breakers=worker.close) as probes:
        monkeypatch.setenv("BATON_HOST", everywhere)
        monkeypatch.setenv("BATON_METRICS_PORT", probes.url.rpartition(":")[2])
        assert resume(Settings(), "scoring", 5, pause=lambda _: None) == [Told("scoring", WHY)]


def test_a_worker_that_does_not_answer_is_a_clear_no() -> None:
    with pytest.raises(Refusal, match="does not answer"):
        told(f"http://127.0.0.1:{free_port()}")


@pytest.mark.parametrize("url", ["http://", "nonsense", "127.0.0.1:9100"])
def test_an_address_that_is_none_is_said_to_be_none(url: str) -> None:
    with pytest.raises(Refusal, match=rf"`{url}` is no address of a worker\. Write --url http://host:port"):
        told(url)


def test_a_number_that_no_worker_takes_is_not_said_to_be_a_worker_that_does_not_answer() -> None:
    worker = Worker(burst=5)
    with (
        worker.probes() as probes,
        pytest.raises(Refusal, match=r"more than may be let fail\. Give at most 1,000,000,000"),
    ):
        told(probes.url, 10**20)

    assert worker.told == 0


def test_another_stages_worker_and_a_stage_that_is_none_are_refused() -> None:
    with Worker(5, "ingest").probes() as probes, Probes(Readiness()) as sales:
        for url in (probes.url, sales.url):
            with pytest.raises(Refusal, match="no worker of scoring answers"):
                told(url)
        with pytest.raises(Refusal, match="there is no stage `sales`"):
            told(probes.url, stage="sales")
