"""Which workers run, where they listen, and what each is told."""

from __future__ import annotations

import hashlib
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from baton.refusal import Refusal
from baton.settings import Settings, variable
from baton.up.ports import DOORS, Ports
from baton.up.worker import WorkerSpec
from streaming import hosts

STAGES = ("ingest", "scoring", "routing")


@dataclass(frozen=True, slots=True)
class Demo:
    """The demo's traffic: events a second, people a run."""

    rate: float
    people: int


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the servers are, once they run."""

    kafka: str
    database_url: str
    embedded_broker: bool


def parse_workers(text: str) -> dict[str, int]:
    """`ingest=1,scoring=2` as numbers by stage; one where nothing is said. Raises `Refusal`."""
    counts = dict.fromkeys(STAGES, 1)
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, number = part.partition("=")
        if name not in counts or not number.isdigit() or int(number) < 1:
            raise Refusal(f"--workers does not understand {part!r}", "Write it as ingest=1,scoring=2,routing=1")
        counts[name] = int(number)
    return counts


def workers(
    settings: Settings,
    servers: Servers,
    counts: Mapping[str, int],
    secrets: Mapping[str, str],
) -> tuple[list[WorkerSpec], list[str]]:
    """Specs of the doors and the stages, and what is worth saying about their ports."""
    ports = Ports(settings)
    common = {
        variable("kafka"): servers.kafka,
        variable("database_url"): servers.database_url,
        variable("data_dir"): str(settings.data_dir.absolute()),
        variable("config_dir"): str(settings.config_dir.absolute()),
        "PYTHONUNBUFFERED": "1",
        **secrets,
    }
    specs = []
    for name in DOORS:
        port = ports.door(name)
        specs.append(_spec(settings, name, name, port, common | {variable(f"{name}_port"): str(port)}))
    unique = _unique(settings.data_dir)
    for stage in STAGES:
        for number in range(1, counts[stage] + 1):
            name = f"{stage}-{number}"
            port = ports.metrics(name)
            told = {
                variable("metrics_port"): str(port),
                variable("instance"): f"{unique}-{name}",
                # On a real broker a static member would keep its partitions from the others after a clean stop.
                variable("static_instance"): "1" if servers.embedded_broker else "0",
                variable("fetch_rest"): "0.5" if servers.embedded_broker else "0",
            }
            specs.append(_spec(settings, name, stage, port, common | told))
    return specs, ports.notices


def traffic(settings: Settings, demo: Demo, collector: str, sales: str, secrets: Mapping[str, str]) -> WorkerSpec:
    """The demo's traffic."""
    told = {
        variable("data_dir"): str(settings.data_dir.absolute()),
        "BATON_DEMO_RATE": str(demo.rate),
        "BATON_DEMO_PEOPLE": str(demo.people),
        "BATON_DEMO_COLLECTOR": collector,
        "BATON_DEMO_SALES": sales,
        **secrets,
    }
    return WorkerSpec("traffic", "traffic", (sys.executable, "-m", "baton.demo"), told, restart=False)


def _spec(settings: Settings, name: str, stage: str, port: int, told: dict[str, str]) -> WorkerSpec:
    command = (sys.executable, "-m", "baton", stage)
    return WorkerSpec(name, stage, command, told, probes=hosts.url(settings.host, port))


def _unique(data_dir: Path) -> str:
    """A name for this installation among all that share a broker."""
    return hashlib.sha256(f"{socket.gethostname()}:{data_dir.absolute()}".encode()).hexdigest()[:8]
