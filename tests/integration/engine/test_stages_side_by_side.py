"""Two stages in each of two processes, the second on what the first publishes: what befalls a process befalls both."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.integration.engine.chain import LIMIT, Chain, ChainWorker
from tests.integration.engine.place import WAIT
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.real_kafka, pytest.mark.timeout(400)]

EVENTS = 12_000
BAD = 4 * LIMIT


@pytest.fixture
def chain(real_kafka: str, topic_prefix: str, tmp_path: Path) -> Iterator[Chain]:
    found = Chain(real_kafka, topic_prefix, tmp_path / "workers")
    yield found
    found.close()


@pytest.fixture
def pair(chain: Chain) -> tuple[ChainWorker, ChainWorker]:
    """Two workers that share the partitions of both stages."""
    workers = chain.start("one"), chain.start("two")
    for worker in workers:
        worker.ready()
    until(lambda: all(shares(worker) for worker in workers), WAIT, "each to have a share of both stages")
    return workers


def shares(worker: ChainWorker) -> bool:
    """Whether the last share that it was given of each topic is two of the four partitions."""
    given = [line.rpartition("streaming.faust.assignment ")[2] for line in worker.said().splitlines()]
    last = dict(line.split(": assigned partitions ") for line in given if ": assigned partitions " in line)
    return len(last) == 2 and all(numbers.count(",") == 1 for numbers in last.values())


def assignments(worker: ChainWorker) -> int:
    return worker.said().count("assigned partitions")


def test_a_killed_process_is_followed_by_another_and_by_its_own_successor(
    chain: Chain, pair: tuple[ChainWorker, ChainWorker]
) -> None:
    chain.send(EVENTS)
    left = chain.under_way()
    assert pair[0].end(signal.SIGKILL) == -signal.SIGKILL
    print(f"killed with {left} left")
    successor = chain.start("one").ready()
    chain.send(1_000)
    chain.settled()

    assert (successor.end(), pair[1].end()) == (0, 0)
    chain.audit()


def test_a_process_that_is_told_to_stop_hands_both_stages_over(
    chain: Chain, pair: tuple[ChainWorker, ChainWorker]
) -> None:
    chain.send(EVENTS)
    left = chain.under_way()
    assert pair[0].end() == 0
    still = {stage: chain.left(stage) for stage in left}
    chain.send(1_000)
    chain.settled()

    assert still["counting"] > 0, f"there were {left} when it was told, and none when it had ended"
    assert pair[1].end() == 0
    chain.audit()


def test_a_process_that_sleeps_past_its_session_and_wakes_joins_again_with_both_stages(
    chain: Chain, pair: tuple[ChainWorker, ChainWorker]
) -> None:
    frozen, other = pair
    chain.send(EVENTS)
    left = chain.under_way()
    before, joined = assignments(other), assignments(frozen)
    frozen.process.send_signal(signal.SIGSTOP)
    until(lambda: psutil.Process(frozen.process.pid).status() == psutil.STATUS_STOPPED, WAIT, "it to freeze")
    until(lambda: assignments(other) >= before + 2, WAIT, "the other one to be given all of both stages")
    chain.send(EVENTS)
    while_asleep = chain.under_way()
    frozen.process.send_signal(signal.SIGCONT)
    until(lambda: assignments(frozen) >= joined + 2, WAIT, "it to join both groups again")
    chain.send(1_000)
    chain.settled()

    print(f"frozen with {left} left, woken with {while_asleep} left")
    assert (frozen.end(), other.end()) == (0, 0)
    chain.audit()


def conditions(worker: ChainWorker) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = httpx.get(f"{worker.probes}/readyz").json()["conditions"]
    return found


def test_a_stage_whose_breaker_is_open_does_not_hold_the_other_one_in_its_process_up(
    chain: Chain, pair: tuple[ChainWorker, ChainWorker]
) -> None:
    chain.send(400)
    chain.settled()
    chain.send_bad(BAD, b"poison")
    stopped = until(
        lambda: [w for w in pair if not conditions(w)["linking.breaker"]["ok"]], WAIT, "the second stage to stop"
    )
    chain.send(2_000)
    until(lambda: chain.left("counting") == 0, WAIT, "the first stage to settle all")
    waiting = chain.left("linking")
    said = conditions(stopped[0])

    assert len(stopped) == 1
    assert waiting >= BAD - LIMIT + 1
    assert not said["linking.breaker"]["ok"]
    assert all(one["ok"] for name, one in said.items() if name.startswith("counting."))
    assert f"{LIMIT} records in a row failed (bad × " in str(said["linking.breaker"]["why"])

    # The other process does not lose its work to that, and a person's word is for the stage that stands still alone.
    answer = httpx.post(f"{stopped[0].probes}/breaker/close", json={"allowance": BAD}).json()["stages"]
    assert (answer["counting"], bool(answer["linking"])) == ("", True)
    chain.settled()
    assert [worker.end() for worker in pair] == [0, 0]
    chain.audit()
