"""Who is measured, how each is started, and what each promises."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench.environments import KSTREAMS_JAR
from bench.peers.work import Place
from bench.plan import Marks, Plan
from bench.running import ROOT, venv_python

PREFIX = "bench."
CONFIG = ROOT / "bench" / "config"


@dataclass(frozen=True, slots=True)
class Peer:
    """One of them. `venv` names its virtual environment; empty: the project's own."""

    name: str
    words: str
    promise: str
    command: Callable[[Place], list[str]]
    marks: Marks
    venv: str = ""
    told: dict[str, str] = field(default_factory=dict)
    obstacle: str = ""


def line_up(plan: Plan, rules: Path) -> list[Peer]:
    """All of them, ours first. `rules`: the ruleset as JSON, for those that are not Python."""
    java = "" if shutil.which("java") and shutil.which("mvn") else "needs Java and Maven"
    streams = {
        name: Peer(
            name,
            f"Kafka Streams (Java), RocksDB, {words}",
            words,
            _java(guarantee, rules),
            plan.marks(1.0, 1.0),
            obstacle=java,
        )
        for name, guarantee, words in (
            ("kafka-streams-eos", "exactly_once_v2", "exactly once"),
            ("kafka-streams", "at_least_once", "at least once"),
        )
    }
    peers = [
        Peer(
            "baton",
            "Baton's scoring stage, as it ships",
            "exactly once",
            lambda _: [venv_python(""), "-m", "baton", "scoring"],
            plan.marks(),
        ),
        Peer(
            "bare",
            "bare confluent-kafka loop (no recovery): the limit in Python",
            "at least once, state is lost",
            lambda _: [venv_python(""), "-m", "bench.peers.bare"],
            plan.marks(),
        ),
        *streams.values(),
        Peer(
            "quix",
            "Quix Streams, RocksDB",
            "at least once",
            lambda _: [venv_python("quix"), "-m", "bench.peers.quix.app"],
            plan.marks(0.7),
            venv="quix",
        ),
        Peer(
            "faststream",
            "FastStream, batch subscriber (no recovery)",
            "at least once, state is lost",
            lambda _: [venv_python("faststream"), "-m", "bench.peers.faststream.app"],
            plan.marks(0.4),
            venv="faststream",
        ),
        Peer(
            "faust",
            "stock Faust agent with a Table",
            "at least once",
            lambda _: [
                venv_python("faust"),
                "-m",
                "faust",
                "-A",
                "bench.peers.faust.app",
                "worker",
                "--without-web",
                "-l",
                "warn",
            ],
            plan.marks(0.1),
            venv="faust",
        ),
    ]
    return [peer for peer in peers if not plan.only or peer.name in plan.only]


def place_of(peer: Peer, bootstrap: str, source: str, number: int, partitions: int, home: Path) -> Place:
    """Where `peer` works in round `number`: names that nobody has used. Ours has them from the environment."""
    if peer.name == "baton":
        return Place(
            bootstrap,
            source,
            f"{PREFIX}leads.scored",
            f"{PREFIX}scoring.state",
            f"{PREFIX}baton-scoring",
            partitions,
            home,
        )
    run = f"bench-{number}-{peer.name}"
    return Place(bootstrap, source, f"{run}.out", f"{run}.changelog", run, partitions, home / run)


def told_of(peer: Peer, place: Place) -> dict[str, str]:
    """More of the environment, of a peer."""
    if peer.name != "baton":
        return peer.told
    return {
        "BATON_KAFKA": place.bootstrap,
        "BATON_TOPIC_PREFIX": PREFIX,
        "BATON_CONFIG_DIR": str(CONFIG),
        "BATON_DATA_DIR": str(place.data / "baton"),
        "BATON_METRICS_PORT": "0",
        "BATON_LOG_LEVEL": "warning",
    }


def _java(guarantee: str, rules: Path) -> Callable[[Place], list[str]]:
    return lambda _: ["java", "-Xmx1g", "-jar", str(KSTREAMS_JAR), guarantee, str(rules)]
