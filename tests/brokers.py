"""Where tests get a Kafka broker from.

In this order: `BATON_TEST_KAFKA` (bootstrap servers, or one of the words `docker`, `java`, `embedded` to force a kind),
Docker, a node of our own where Java and Maven are, the embedded broker.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path

from tests.docker import docker_obstacle
from tests.kafka import jars
from tests.kafka.jars import Unavailable
from tests.kafka.node import Node, free_port
from tests.waiting import until

IMAGE = "apache/kafka:4.2.2"


@dataclass(frozen=True)
class Broker:
    """A broker that answers. `not_real` says why it is not Apache Kafka; None where it is."""

    bootstrap: str
    name: str
    not_real: str | None = None


@contextmanager
def any_broker(home: Path, given: str | None = None) -> Iterator[Broker]:
    """The first broker that can be had; `home` is a directory for its data. Raises `Unavailable`.

    `given`: what to take in place of what `BATON_TEST_KAFKA` says.
    """
    given = os.environ.get("BATON_TEST_KAFKA", "") if given is None else given
    if given and given not in KINDS:
        yield Broker(given, f"BATON_TEST_KAFKA, {given}")
        return
    reasons: list[str] = []
    for kind in [given] if given else KINDS:
        with ExitStack() as stack:
            try:
                broker = stack.enter_context(KINDS[kind](home, "; ".join(reasons) or "as BATON_TEST_KAFKA asks"))
            except Unavailable as reason:
                reasons.append(f"{kind}: {reason}")
                continue
            until(partial(_answers, broker.bootstrap), 60, f"{broker.name} to answer")
            yield broker
            return
    raise Unavailable("; ".join(reasons))


@contextmanager
def docker_broker(home: Path, reasons: str) -> Iterator[Broker]:
    """Apache Kafka in a container."""
    reason = docker_obstacle()
    if reason:
        raise Unavailable(reason)
    from testcontainers.core.container import DockerContainer

    port = free_port()
    container = DockerContainer(IMAGE).with_bind_ports(port, port)
    for name, value in {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:19093",
        "KAFKA_LISTENERS": f"CLIENTS://:{port},CONTROLLER://:19093",
        "KAFKA_ADVERTISED_LISTENERS": f"CLIENTS://127.0.0.1:{port}",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "KAFKA_INTER_BROKER_LISTENER_NAME": "CLIENTS",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS": "1000",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
    }.items():
        container.with_env(name, value)
    with container:
        yield Broker(f"127.0.0.1:{port}", f"Docker, {IMAGE}")


@contextmanager
def java_broker(home: Path, reasons: str) -> Iterator[Broker]:
    """A node of our own, by Java."""
    reason = jars.obstacle()
    if reason:
        raise Unavailable(reason)
    node = Node(home / "kafka")
    try:
        node.start()
        yield Broker(node.bootstrap, f"Apache Kafka on Java, {node.bootstrap}")
    finally:
        node.stop()


@contextmanager
def embedded_broker(home: Path, reasons: str) -> Iterator[Broker]:
    """The broker that `baton up` brings along: good for functional tests, and for them alone."""
    program = str(files("noida_db") / "noida-db")
    if not shutil.which(program) or subprocess.run([program, "version"], capture_output=True, check=False).returncode:
        raise Unavailable("the embedded broker does not run on this machine")
    port, data = free_port(), home / "embedded"
    data.mkdir(mode=0o700)
    with (home / "embedded.log").open("wb") as log:
        process = subprocess.Popen(
            [program, "start", "--only", "kafka", "--host", "127.0.0.1", "--kafka-port", str(port), "--data-dir", data],
            stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
    try:
        yield Broker(f"127.0.0.1:{port}", "embedded broker", f"only the embedded broker is there ({reasons})")
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


KINDS = {"docker": docker_broker, "java": java_broker, "embedded": embedded_broker}


def _answers(bootstrap: str) -> bool:
    from kafka.admin import KafkaAdminClient
    from kafka.errors import KafkaError

    with suppress(KafkaError, OSError):
        admin = KafkaAdminClient(bootstrap_servers=bootstrap, client_id="tests")
        try:
            admin.list_topics()
            return True
        finally:
            admin.close()
    return False
