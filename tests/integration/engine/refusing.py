"""A real node that refuses the first batch of a topic, as a broker does that does not lead the partition yet."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.kafka.node import Node, free_port

PRODUCE, NOWHERE = 0, 99
HEADER = struct.Struct(">ihhi")
"""Size, API key, version and correlation of a request; the answer has size and correlation alone."""


class Refusing:
    """Stands between clients and the node. Asks for a partition that there is not in place of the first batch's own.

    The answer, that there is no such partition, is held back until another batch has come or `patience` has passed.
    """

    def __init__(self, port: int, upstream: int, topic: str, patience: float = 1.0) -> None:
        self.topic, self.patience = topic.encode(), patience
        self.first, self.second = threading.Event(), threading.Event()
        self._upstream, self._refused, self._partition = upstream, -1, 0
        self._server = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._server.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._server.accept()
                try:
                    node = socket.create_connection(("127.0.0.1", self._upstream))
                except OSError:  # it does not listen yet; clients come again
                    client.close()
                    continue
                threading.Thread(target=self._pass, args=(client, node, self._ask), daemon=True).start()
                threading.Thread(target=self._pass, args=(node, client, self._answer), daemon=True).start()

    def _pass(self, one: socket.socket, other: socket.socket, change: object) -> None:
        with one, other, suppress(OSError):
            stream = one.makefile("rb")
            while size := stream.read(4):
                frame = bytearray(size + stream.read(int.from_bytes(size)))
                change(frame)  # type: ignore[operator]
                other.sendall(frame)

    def _ask(self, frame: bytearray) -> None:
        _, key, _, correlation = HEADER.unpack_from(frame)
        if key != PRODUCE or self.topic not in frame:
            return
        if self.first.is_set():
            self.second.set()
            return
        self._refused, self._partition = correlation, self._swap(frame, NOWHERE)
        self.first.set()

    def _answer(self, frame: bytearray) -> None:
        if (
            int.from_bytes(frame[4:8]) == self._refused
            and self.topic in frame
            and self._swap(frame, NOWHERE) == NOWHERE
        ):
            self._swap(frame, self._partition)
            self._refused = -1
            self.second.wait(self.patience)

    def _swap(self, frame: bytearray, number: int) -> int:
        """Put another partition in the place of the first after the topic's name."""
        at = frame.index(self.topic) + len(self.topic) + 1  # one byte says how many partitions follow
        before = int.from_bytes(frame[at : at + 4])
        frame[at : at + 4] = number.to_bytes(4)
        return before


@contextmanager
def refusing(home: Path, topic: str) -> Iterator[tuple[str, Refusing]]:
    """The address of a node that refuses the first batch of `topic`, and who does it."""
    own, behind, door, controller = (free_port() for _ in range(4))
    home.mkdir()
    (home / "controller").write_text(str(controller))
    listeners = {"CLIENTS": own, "CONTROLLER": controller, "BEHIND": behind}
    node = Node(
        home,
        own,
        {
            "listeners": ",".join(f"{name}://127.0.0.1:{port}" for name, port in listeners.items()),
            "advertised.listeners": f"CLIENTS://127.0.0.1:{own},BEHIND://127.0.0.1:{door}",
            "listener.security.protocol.map": ",".join(f"{name}:PLAINTEXT" for name in listeners),
        },
    )
    refuser = Refusing(door, behind, topic)
    try:
        node.start()
        yield f"127.0.0.1:{door}", refuser
    finally:
        refuser.close()
        node.kill()
