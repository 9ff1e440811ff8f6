"""One run of the senders against a house that stands, with a reader beside it: what was measured."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from bench.path import sender
from bench.path.house import House
from bench.path.quantiles import Quantiles, quantiles
from bench.path.reader import Seen, seen_in
from bench.path.sender import Sent
from bench.running import ROOT
from schemas.topics import LEADS_SCORED, SALES_QUEUE

DRAIN_SECONDS = 1.5
"""What the last events take to come through, and more: those that come later count as missing."""


@dataclass(frozen=True, slots=True)
class Point:
    """What was measured at one rate. Times in seconds, CPU in seconds by process."""

    name: str
    rate: float
    size: int
    sent: Sent
    handoff: Quantiles
    legs: dict[str, Quantiles]
    cpu: dict[str, float]
    load: float
    routed: int
    seen: list[Seen] = field(repr=False, default_factory=list)

    @property
    def refused(self) -> int:
        """Events that were not taken."""
        return sum(count for status, count in self.sent.statuses.items() if status != 202)

    @property
    def share(self) -> float:
        """Leads that were handed off, an event."""
        return self.routed / max(1, self.sent.events)


@dataclass(frozen=True, slots=True)
class Full:
    """The highest rate, in events a second, and CPU µs an event by process (from cold on)."""

    rate: float
    micros: dict[str, float]
    load: float


class Runs:
    """Runs one after the other on one house; each goes on in the world where the last one ended."""

    def __init__(self, house: House, run: str = "p") -> None:
        self.house, self.run = house, run
        self._next = 0

    def full(self, seconds: float, warm: float, window: int, size: int) -> Full:
        """What the path takes with `window` events on their way."""
        order = self._order(seconds=seconds, warm=warm, window=window, size=size)
        before = self.house.spent()
        sent = self._send(order)
        after = self.house.spent()
        self._next += sent.events
        micros = {name: 1e6 * (after[name] - before[name]) / sent.events for name in after}
        return Full(sent.rate, micros, os.getloadavg()[0])

    def paced(self, name: str, rate: float, seconds: float, size: int, *, whole: bool = False) -> Point:
        """An open loop at `rate` events a second, `size` a request. `whole`: look at every topic."""
        order = self._order(seconds=seconds, size=size, rate=rate)
        before = self.house.spent()
        with self._reading(whole=whole) as out:
            sent = self._send(order)
            time.sleep(DRAIN_SECONDS)
        after = self.house.spent()
        self._next += sent.events
        seen = [one for one in seen_in(out) if _since(one) >= sent.began]
        out.unlink()
        queued = [one for one in seen if one.topic.startswith(SALES_QUEUE)]
        handoff = quantiles(one.readable - one.captured for one in queued if one.captured is not None)
        cpu = {process: after[process] - before[process] for process in after}
        load = os.getloadavg()[0]
        return Point(name, rate, size, sent, handoff, legs(sent, seen), cpu, load, len(queued), seen)

    def _order(self, **what: float) -> sender.Order:
        house = self.house
        out = str(house.home / "sent.json")
        return sender.Order(out=out, door=house.door, routing=house.routing, run=self.run, first=self._next, **what)  # type: ignore[arg-type]

    def _send(self, order: sender.Order) -> Sent:
        command = [sys.executable, "-m", "bench.path.sender"]
        subprocess.run(command, input=msgspec.json.encode(order), cwd=ROOT, check=True)
        return msgspec.json.decode(Path(order.out).read_bytes(), type=Sent)

    @contextmanager
    def _reading(self, *, whole: bool) -> Iterator[Path]:
        out = self.house.home / "seen.bin"
        order = {"bootstrap": self.house.kafka, "out": str(out), "whole": whole}
        child = subprocess.Popen(
            [sys.executable, "-m", "bench.path.reader"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            child.stdin.write(json.dumps(order) + "\n")
            child.stdin.flush()
            if child.stdout.readline() != "ready\n":
                raise RuntimeError("the reader did not start")
            yield out
            child.communicate(timeout=60)
        finally:
            if child.poll() is None:
                child.kill()
                child.wait()


def legs(sent: Sent, seen: Sequence[Seen]) -> dict[str, Quantiles]:
    """Of all events: how long the door took to answer, and how long they took from stage to stage."""
    scored = [one for one in seen if one.topic == LEADS_SCORED]
    return {
        "door answers": quantiles(sent.answers),
        "door → ingest": quantiles(one.clocks[1] - one.clocks[0] for one in scored),
        "ingest → scoring": quantiles(one.clocks[2] - one.clocks[1] for one in scored),
        "scored, readable": quantiles(one.readable - one.clocks[2] for one in scored),
    }


def _since(one: Seen) -> float:
    """When the event behind a record came in."""
    return one.captured if one.captured is not None else one.clocks[0]
