"""What the engine relies on inside other people's packages: an upgrade that changes it fails here, by its name."""

from __future__ import annotations

import ast
import asyncio
import inspect
import logging
import socket
import struct
import textwrap
from collections.abc import Iterator, Sequence
from math import inf
from pathlib import Path

import faust
import pytest
from confluent_kafka import Consumer, KafkaError, Producer
from faust import Worker
from faust.app import BootStrategy
from faust.transport.drivers import aiokafka as driver
from mode import Service

from streaming.faust.app import EngineSettings, StageApp, make_app
from streaming.faust.doubt import BROKEN, NEVER_UP, Doubt
from streaming.faust.engine import Engine
from streaming.faust.inner import CommittedThread
from streaming.stage import Stage
from tests.waiting import until

HOUSE = Path(__file__).parents[2]
API_VERSIONS = 18
WAIT = 20.0

ERRORS = (
    *("_PARTITION_EOF", "_AUTO_OFFSET_RESET", "_QUEUE_FULL", "_UNKNOWN_TOPIC", "_UNKNOWN_PARTITION"),
    *("_PURGE_QUEUE", "_PURGE_INFLIGHT", "_FENCED", "_TIMED_OUT", "_AUTHENTICATION", "_MSG_TIMED_OUT", "_FATAL"),
)
"""librdkafka's own errors, as confluent-kafka names them."""

INNER = {f"KafkaError.{name}" for name in ERRORS} | {
    *("super()._create_worker_consumer", "self._on_sigint", "self._on_sigterm")
}
"""All that the code touches of names with an underscore in packages whose makers promise nothing of them."""

PROMISED = ("_exit", "_replace", "_fields", "_mapping")
"""Such names that are documented: of `os`, of named tuples, of SQLAlchemy's rows."""

GETTERS = ("attrgetter", "methodcaller")
"""Functions of `operator` that are given names."""


def own_names(tree: ast.AST) -> set[str]:
    """What a module defines and assigns itself."""
    functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    stored = {
        node.attr if isinstance(node, ast.Attribute) else node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute | ast.Name) and isinstance(node.ctx, ast.Store)
    }
    return functions | stored


def inner_names(trees: Sequence[ast.AST]) -> Iterator[str]:
    """Every name with an underscore before it that modules look up in something that is not their own.

    As an attribute, by an import, or by a text that stands in the code; a text that is put together is not seen.
    """
    ours = set().union(*map(own_names, trees))
    for node in (node for tree in trees for node in ast.walk(tree)):
        holder, names = looked_up(node)
        of_itself = isinstance(holder, ast.Name) and holder.id in ("self", "cls")
        parts = {part for name in names for part in name.split(".") if is_inner(part)}
        if parts and not (of_itself and parts <= ours):
            yield ast.unparse(node)


def looked_up(node: ast.AST) -> tuple[ast.AST | None, list[str]]:
    """The names, dotted where they are, that a node looks up, and what in if that is a part of it."""
    match node:
        case ast.Attribute():
            return node.value, [node.attr]
        case ast.Import():
            return None, [one.name for one in node.names]
        case ast.ImportFrom():
            return None, [node.module or "", *(one.name for one in node.names)]
        case ast.Call(func=ast.Name(id="getattr" | "hasattr" | "setattr" | "delattr"), args=[holder, name, *_]):
            return holder, texts([name])
        case ast.Call(func=ast.Name(id=called) | ast.Attribute(attr=called), args=args) if called in GETTERS:
            return None, texts(args)
    return None, []


def texts(nodes: Sequence[ast.expr]) -> list[str]:
    return [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def is_inner(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name not in PROMISED


def test_no_other_inner_part_is_touched_than_these() -> None:
    folders = ("schemas", "rules", "streaming", "services", "baton")
    files = [file for folder in folders for file in (HOUSE / folder).rglob("*.py")]

    assert set(inner_names([ast.parse(file.read_text()) for file in files])) == INNER


@pytest.mark.parametrize(
    "code",
    [
        *("x._y", "x._y = 1", "self._theirs", "from x import _y", "from x import y, _y as y2", "from x._y import z"),
        *("from ._y import z", "import x._y", "import z, x._y as y", "from _y import z"),
        *("getattr(x, '_y')", "getattr(x, '_y', None)", "hasattr(x, '_y')", "setattr(x, '_y', 1)", "delattr(x, '_y')"),
        *("getattr(self, '_theirs')", "attrgetter('_y')", "operator.attrgetter('x._y')", "methodcaller('_y', 1)"),
    ],
)
def test_an_inner_part_is_seen_however_it_is_looked_up(code: str) -> None:
    [seen] = inner_names([ast.parse(code)])
    assert seen in code


def test_what_is_ours_or_promised_is_no_inner_part() -> None:
    ours = "self._mine = 1; self._mine; getattr(self, '_mine'); getattr(self, name); getattr(x, 'y', '_z')"
    promised = "os._exit(70); from os import _exit; getattr(row, '_mapping'); from __future__ import annotations"

    assert list(inner_names([ast.parse(f"{ours}; {promised}")])) == []


def test_faust_and_mode_have_what_the_app_is_made_of() -> None:
    assert BootStrategy.enable_web is None
    assert BootStrategy.enable_kafka is True
    assert callable(BootStrategy.server)
    assert faust.App.BootStrategy is BootStrategy
    for name in ("on_started", "on_stop"):
        assert asyncio.iscoroutinefunction(getattr(faust.App, name))
    for name in ("install_signal_handlers", "execute_from_commandline"):
        assert callable(getattr(Worker, name))
    assert Worker(faust.App("plain")).spinner is not None


@pytest.mark.parametrize(
    ("ours", "theirs", "meant"),
    [
        (Engine, Service(), {"on_start", "on_stop"}),
        (StageApp, faust.App("plain"), {"BootStrategy", "on_started", "on_stop", "transport"}),
    ],
)
def test_the_engine_and_the_app_take_no_name_of_mode_s_and_faust_s_but_these(
    ours: type, theirs: object, meant: set[str]
) -> None:
    tree = ast.parse(textwrap.dedent(inspect.getsource(ours)))
    stored = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)]
    kept = {node.attr for node in stored if isinstance(node.value, ast.Name) and node.value.id == "self"}
    own = kept | {name for name in vars(ours) if f" {name}" in inspect.getsource(ours) and name[:2] != "__"}

    assert own & set(dir(theirs)) == meant


def test_faust_makes_its_consumer_where_we_replace_it() -> None:
    assert "_create_worker_consumer" in vars(driver.AIOKafkaConsumerThread)
    assert "_new_consumer_thread" in vars(driver.Consumer)
    for name in ("getmany", "position", "seek", "assignment"):
        assert name in vars(driver.AIOKafkaConsumerThread)
    assert asyncio.iscoroutinefunction(driver.Consumer.perform_seek)


async def test_the_consumer_of_agents_reads_committed_records(tmp_path: Path) -> None:
    stage = Stage("idle", "in", "idle.failed", lambda _: None)
    app = make_app(stage, EngineSettings(bootstrap="127.0.0.1:1", group="g", data_dir=tmp_path))
    app.finalize()
    assert isinstance(app.consumer, driver.Consumer)
    thread = app.consumer._new_consumer_thread()
    thread.thread_loop = asyncio.get_running_loop()
    consumer = thread._create_consumer(loop=thread.thread_loop)

    assert isinstance(thread, CommittedThread)
    assert consumer._isolation_level == "read_committed"
    assert app.consumer.in_transaction is False


def test_the_worker_has_the_signal_handlers_that_we_install() -> None:
    assert callable(Worker._on_sigint)
    assert callable(Worker._on_sigterm)


@pytest.mark.parametrize("name", ERRORS)
def test_confluent_kafka_names_the_errors_that_we_look_for(name: str) -> None:
    assert isinstance(getattr(KafkaError, name), int)


def test_a_consumer_that_is_no_member_can_be_told_by_its_metadata() -> None:
    one, other = (Consumer({"bootstrap.servers": "127.0.0.1:1", "group.id": "g"}) for _ in range(2))
    try:
        assert isinstance(one.consumer_group_metadata(), bytes)
        assert one.consumer_group_metadata() == other.consumer_group_metadata()
    finally:
        one.close()
        other.close()


def test_a_batch_without_headers_can_be_produced_at_once() -> None:
    producer = Producer({"bootstrap.servers": "127.0.0.1:1"})

    assert producer.produce_batch("changelog", [{"key": b"k", "value": b"v"}, {"key": b"l", "value": None}], 0) == 2
    producer.purge()


class Listening(Doubt):
    """It keeps what the client says."""

    def __init__(self) -> None:
        super().__init__(silent_seconds=inf)
        self.begins(0.0)
        self.ends(0.0)
        self.said: list[tuple[str, str]] = []

    def log(self, level: int, text: str, *args: object) -> None:
        if level > logging.DEBUG:
            self.said.append((str(args[0]), str(args[-1])))
        super().log(level, text, *args)


def listening(port: int) -> tuple[Producer, Listening]:
    doubt = Listening()
    return Producer({"bootstrap.servers": f"127.0.0.1:{port}", "logger": doubt, **Doubt.LOGS}), doubt


def test_librdkafka_says_of_a_connection_that_was_never_made_that_it_was_in_that_state() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    producer, doubt = listening(port)
    until(lambda: producer.poll(0.05) or doubt.said, WAIT, "it to say something")

    for kind, text in doubt.said:
        assert kind == BROKEN
        assert NEVER_UP in text
    assert not doubt.justified


def test_librdkafka_says_of_a_connection_that_is_lost_which_kind_of_word_that_is() -> None:
    """And not that it was never made; from a server that goes as soon as it has said what it knows."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        producer, doubt = listening(server.getsockname()[1])
        client, _ = server.accept()
        with client:
            greet(client)
        until(lambda: producer.poll(0.05) or doubt.justified, WAIT, "it to say something")

    kind, text = doubt.said[0]
    assert kind == BROKEN
    assert NEVER_UP not in text
    assert "in state UP" in text


def greet(client: socket.socket) -> None:
    """Answer which requests are known (ApiVersions 3): those that a client asks for first."""
    request = client.recv(4096)
    known = b"".join(struct.pack(">hhhx", number, 0, 9) for number in (3, API_VERSIONS))
    answer = request[8:12] + struct.pack(">hB", 0, 3) + known + struct.pack(">ix", 0)
    assert struct.unpack(">h", request[4:6]) == (API_VERSIONS,)
    client.sendall(struct.pack(">i", len(answer)) + answer)
    client.recv(4096)  # the first request of one that is up
