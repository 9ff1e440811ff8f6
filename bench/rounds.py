"""The rounds: in each, every peer works once, one after the other."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench.environments import build_kstreams, make_venv
from bench.equal import Reference, Verdict, values_of
from bench.line_up import PREFIX, Peer, line_up, place_of, told_of
from bench.plan import PARTITIONS, Plan
from bench.running import ROOT, Measured, PeerFailed, environment, measured, venv_python, worker
from bench.topics import Topics

SOURCE = f"{PREFIX}leads.events"
FLOOR = "floor"
Say = Callable[[str], None]


@dataclass(slots=True)
class Results:
    """What was measured, by peer and in order of the rounds, and what was found in the outputs."""

    plan: Plan
    measured: dict[str, list[Measured]] = field(default_factory=dict)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    peers: list[Peer] = field(default_factory=list)


class Bench:
    """One run, on a broker that answers; `home` takes files."""

    def __init__(self, plan: Plan, bootstrap: str, home: Path, say: Say) -> None:
        self.plan, self.home, self.say = plan, home, say
        self.topics = Topics(bootstrap, PARTITIONS)
        self.results = Results(plan)
        self._counts: list[int] = []

    def run(self) -> Results:
        """Get everything ready, then measure."""
        rules = self.home / "rules.json"
        peers = self.results.peers = line_up(self.plan, rules)
        self._prepare(peers, rules)
        for number in range(1, self.plan.rounds + 1):
            self._note(number, FLOOR, self._floor())
            for peer in peers:
                if peer.name not in self.results.absent:
                    self._once(peer, number)
        return self.results

    def _prepare(self, peers: list[Peer], rules: Path) -> None:
        from bench.export import export

        self.say("virtual environments and the Java peer …")
        rules.write_text(json.dumps(export()))
        for peer in peers:
            if peer.obstacle:
                self.results.absent[peer.name] = peer.obstacle
            elif peer.venv:
                make_venv(peer.venv)
        if any(not peer.obstacle and peer.name.startswith("kafka-streams") for peer in peers):
            build_kstreams()
        self.say(f"{self.plan.total:,} events to {SOURCE}, and what must come of them …")
        self._counts = self.topics.fill(SOURCE, self.plan.total, self.plan.active)
        self._floor(self.home / "reference")

    def _floor(self, reference: Path | None = None) -> Measured:
        marks = self.plan.marks()
        numbers = [str(n) for n in (self.plan.total, self.plan.active, marks.first, marks.last)]
        command = [venv_python(""), "-m", "bench.peers.floor", *numbers, *([str(reference)] if reference else [])]
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
        told = json.loads(done.stdout)
        return Measured(told["events"], told["cpu_seconds"], told["cpu_seconds"], 0.0)

    def _once(self, peer: Peer, number: int) -> None:
        place = place_of(peer, self.topics.bootstrap, SOURCE, number, PARTITIONS, self.home)
        made = [place.out, place.changelog, *([f"{PREFIX}scoring.failed"] if peer.name == "baton" else [])]
        self._clear(place.group)
        self.topics.create(made)
        log = self.home / f"{peer.name}-{number}.log"
        try:
            with worker(peer.command(place), environment(place, told_of(peer, place)), log) as process:
                result = measured(process, self.topics, place.out, peer.marks, self._counts, log)
        except PeerFailed as why:
            self.results.absent[peer.name] = str(why)
            self.say(f"round {number}  {peer.name}: failed: {why}")
            return
        self._note(number, peer.name, result)
        if number == 1:
            verdict = Reference(self.home / "reference").judge(values_of(self.topics, place.out))
            self.results.verdicts[peer.name] = verdict
            self.say(f"         {peer.name}: {verdict.words}")
        self._clear(place.group)

    def _clear(self, group: str) -> None:
        self.topics.delete(self.topics.names() - {SOURCE})
        self.topics.forget(group)

    def _note(self, number: int, name: str, result: Measured) -> None:
        self.results.measured.setdefault(name, []).append(result)
        self.say(
            f"round {number}  {name}: {result.cpu_micros:.1f} µs of CPU an event "
            f"({result.events:,} events in {result.seconds:.1f} s, {time.strftime('%H:%M:%S')})"
        )
