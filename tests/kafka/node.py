"""One real Apache Kafka node (KRaft) on loopback, without Docker. Needs Java 17, and Maven for the first time.

    python -m tests.kafka.node start --dir DIR [--port 0] [--set key=value ...]   prints the bootstrap server
    python -m tests.kafka.node stop|kill|pause|resume|status --dir DIR

`start` on a directory that was used before brings its data back, on the same port. Port 0 takes a free one. `kill` is a
crash (SIGKILL), `pause` and `resume` are a hang (SIGSTOP, SIGCONT). `status` exits with 0 where the node runs.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import random
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path

import psutil

from tests.kafka.jars import Unavailable, classpath
from tests.waiting import until

MAIN = "kafka.Kafka"

PROPERTIES = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.quorum.voters": "1@127.0.0.1:{controller}",
    "listeners": "CLIENTS://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}",
    "advertised.listeners": "CLIENTS://127.0.0.1:{port}",
    "listener.security.protocol.map": "CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "CLIENTS",
    "controller.listener.names": "CONTROLLER",
    # One node holds the only copy of everything; few partitions start faster.
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "8",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "8",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    # Tests are in a hurry, and a topic that nobody created is a mistake.
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "auto.create.topics.enable": "false",
}
LOGGING = {
    "Configuration": {
        "Appenders": {"Console": {"name": "out", "PatternLayout": {"pattern": "%d %-5p %c{1} %m%n"}}},
        "Loggers": {"Root": {"level": "WARN", "AppenderRef": {"ref": "out"}}},
    }
}


class Node:
    """A node whose data, settings and process id live in the directory `home`.

    `settings` come on top of `PROPERTIES`; `{port}` and `{controller}` in them are the ports of its two listeners.
    """

    def __init__(
        self,
        home: Path,
        port: int = 0,
        settings: Mapping[str, str] | None = None,
        heap: str = "512m",
        cluster: str = "",
    ) -> None:
        """`cluster`: the id that nodes share which belong together; without one the node is a cluster of its own."""
        self.home = home.resolve()
        self._port, self._settings, self._heap = port, dict(settings or {}), heap
        self._cluster = cluster or cluster_id()
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def port(self) -> int:
        """Port of the clients' listener. Raises `FileNotFoundError` before the first start."""
        return int(self._read("port"))

    @property
    def bootstrap(self) -> str:
        """What clients connect to."""
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        """Id of the running process; None where there is none."""
        if self._child is not None:
            self._child.poll()  # reaps it, if it has died
        try:
            process = psutil.Process(int(self._read("pid")))
            ours = MAIN in process.cmdline() and str(self._properties) in process.cmdline()
        except (OSError, ValueError, psutil.Error):
            return None
        return process.pid if ours else None

    def start(self, seconds: float = 300) -> None:
        """Start, and return once clients are served: minutes, on a crowded machine.

        Raises `Unavailable`, `TimeoutError`, or `RuntimeError`.
        """
        self.launch()
        self.await_clients(seconds)

    def launch(self) -> None:
        """Start, and return at once: a node that needs others serves nobody before these are there.

        Raises `Unavailable` or `RuntimeError`.
        """
        if self.pid is not None:
            return
        jars = classpath()
        self.home.mkdir(parents=True, exist_ok=True)
        self._configure()
        if not (self.home / "log" / "meta.properties").exists():
            self._format(jars)
        with (self.home / "out.log").open("ab") as out:
            self._child = subprocess.Popen(
                [*self._java(jars), MAIN, str(self._properties)],
                stdout=out, stderr=out, stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        self._write("pid", str(self._child.pid))

    def await_clients(self, seconds: float = 300) -> None:
        """Return once clients are served. Raises `TimeoutError`, or `RuntimeError` where the node has ended."""
        until(self._listens, seconds, f"Kafka to listen on {self.bootstrap} (see {self.home / 'out.log'})")

    def stop(self) -> None:
        """An orderly end; waits for it."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """A crash; waits until the process is gone."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """A hang: connections stay open, nobody answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """The end of a hang."""
        self._signal(signal.SIGCONT)

    @property
    def _properties(self) -> Path:
        return self.home / "server.properties"

    def _configure(self) -> None:
        if not (self.home / "port").exists():
            self._write("port", str(self._port or free_port()))
        if not (self.home / "controller").exists():
            self._write("controller", str(free_port()))
        ports = {"port": self._read("port"), "controller": self._read("controller")}
        filled = {key: value.format(**ports) for key, value in {**PROPERTIES, **self._settings}.items()}
        lines = {"log.dirs": str(self.home / "log"), **filled}
        self._write(self._properties.name, "".join(f"{key}={value}\n" for key, value in lines.items()))
        self._write("log4j2.json", json.dumps(LOGGING))

    def _format(self, jars: str) -> None:
        tool = ["kafka.tools.StorageTool", "format", "-t", self._cluster, "-c", str(self._properties)]
        done = subprocess.run([*self._java(jars), *tool], capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"Kafka's directory could not be formatted: {(done.stdout + done.stderr)[-800:]}")

    def _java(self, jars: str) -> list[str]:
        logging = f"-Dlog4j2.configurationFile={self.home / 'log4j2.json'}"
        return ["java", f"-Xms{self._heap}", f"-Xmx{self._heap}", "-XX:+UseG1GC", logging, "-cp", jars]

    def _listens(self) -> bool:
        if self._child is not None and self._child.poll() is not None:
            log = (self.home / "out.log").read_text(errors="replace")[-800:]
            raise RuntimeError(f"Kafka ended with code {self._child.returncode}: {log}")
        try:
            with socket.create_connection(("127.0.0.1", self.port), 0.5) as found:
                return bool(found.getsockname() != found.getpeername())  # nobody but ourselves: a chance of TCP
        except OSError:
            return False

    def _signal(self, what: signal.Signals) -> None:
        pid = self.pid
        if pid is not None:
            os.kill(pid, what)

    def _end(self, how: signal.Signals) -> None:
        pid = self.pid
        if pid is None:
            return
        self._signal(how)
        self.resume()  # a paused process takes SIGTERM only once it goes on
        # A dying process loses its command line before its sockets, so only its end is waited for.
        if self._child is not None:
            self._child.wait(60)
            self._child = None
        else:
            until(lambda: not _alive(pid), 60, "Kafka to end")

    def _read(self, name: str) -> str:
        return (self.home / name).read_text()

    def _write(self, name: str, text: str) -> None:
        (self.home / name).write_text(text)


def _alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def cluster_id() -> str:
    """A new one. Kafka's tool refuses an id that begins with a dash, so the first character is fixed."""
    return "B" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")[1:]


def free_port() -> int:
    """A port of loopback that nobody listens on now, and that no client is given by chance.

    A port of the range that the system draws from for clients could be taken while the node is down.
    """
    for port in random.sample(range(20_000, 32_768), 200):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no port between 20000 and 32767 is free")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["start", "stop", "kill", "pause", "resume", "status"])
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--heap", default="512m")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="settings")
    given = parser.parse_args()
    node = Node(given.dir, given.port, dict(item.split("=", 1) for item in given.settings), given.heap)
    if given.command == "status":
        sys.exit(0 if node.pid else 1)
    try:
        getattr(node, given.command)()
    except Unavailable as reason:
        sys.exit(f"node: {reason}")
    if given.command == "start":
        print(node.bootstrap)


if __name__ == "__main__":
    main()
