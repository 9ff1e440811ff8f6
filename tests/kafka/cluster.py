"""Three real Apache Kafka nodes (KRaft) on loopback, each of them broker and controller; any may be harmed.

Every topic has three copies, the brokers' own topics too, and a record counts once two of them have it: one node may be
away, and all goes on; with two away nobody may write.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.kafka.node import Node, cluster_id, free_port

NODES = (1, 2, 3)
COPIES, LEAST_COPIES = "3", "2"
SETTINGS = {
    "default.replication.factor": COPIES,
    "min.insync.replicas": LEAST_COPIES,
    "offsets.topic.replication.factor": COPIES,
    "transaction.state.log.replication.factor": COPIES,
    "transaction.state.log.min.isr": LEAST_COPIES,
    "share.coordinator.state.topic.replication.factor": COPIES,
    "share.coordinator.state.topic.min.isr": LEAST_COPIES,
    # Where a leader comes back it leads again after minutes, at a moment that no test has chosen.
    "auto.leader.rebalance.enable": "false",
}


class Cluster:
    """Nodes by their number, which is their broker's id, too."""

    def __init__(self, home: Path, heap: str = "256m") -> None:
        ports = _different_ports(2 * len(NODES))
        clients = dict(zip(NODES, ports[: len(NODES)], strict=True))
        controllers = dict(zip(NODES, ports[len(NODES) :], strict=True))
        voters = ",".join(f"{number}@127.0.0.1:{port}" for number, port in controllers.items())
        shared = {**SETTINGS, "controller.quorum.voters": voters}
        id_of_all = cluster_id()
        self.nodes = {
            number: Node(
                home / str(number),
                clients[number],
                {
                    **shared,
                    "node.id": str(number),
                    "listeners": f"CLIENTS://127.0.0.1:{clients[number]},CONTROLLER://127.0.0.1:{controllers[number]}",
                },
                heap,
                id_of_all,
            )
            for number in NODES
        }
        self.bootstrap = ",".join(f"127.0.0.1:{port}" for port in clients.values())

    def __getitem__(self, number: int) -> Node:
        """The node of that number: `kill`, `pause`, `resume` it."""
        return self.nodes[number]

    def start(self, seconds: float = 300) -> None:
        """Start those that do not run, and return once all serve clients.

        Raises `Unavailable`, `TimeoutError`, or `RuntimeError`.
        """
        self._each(Node.launch)
        for node in self.nodes.values():
            node.await_clients(seconds)

    def stop(self) -> None:
        """End all of them at once: one that is stopped in good order waits for others, which are gone."""
        self._each(Node.kill)

    def running(self) -> set[int]:
        """Numbers of those whose process is there, paused or not."""
        return {number for number, node in self.nodes.items() if node.pid is not None}

    def _each(self, do: Callable[[Node], None]) -> None:
        with ThreadPoolExecutor(len(NODES)) as pool:
            for done in [pool.submit(do, node) for node in self.nodes.values()]:
                done.result()


def _different_ports(count: int) -> list[int]:
    """Ports that are free; none stands there twice."""
    found: set[int] = set()
    while len(found) < count:
        found.add(free_port())
    return sorted(found)
