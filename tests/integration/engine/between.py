"""Somebody between clients and a real node, who may keep back or change what they say to each other."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from tests.kafka.node import Node, free_port

HEADER = struct.Struct(">ihhi")
"""Size, API key, version and correlation of a request; the answer has size and correlation alone."""


class Between:
    """Passes on requests and answers, frame by frame, as `ask` and `answer` say."""

    def __init__(self, port: int, upstream: int) -> None:
        self._upstream = upstream
        self._server = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, daemon=True).start()

    def ask(self, frame: bytearray) -> bool:
        """Whether the node is to hear of the request, which may be changed. Raises OSError to cut the connection."""
        return True

    def answer(self, frame: bytearray) -> bool:
        """The same of an answer."""
        return True

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
                threading.Thread(target=self._pass, args=(client, node, self.ask), daemon=True).start()
                threading.Thread(target=self._pass, args=(node, client, self.answer), daemon=True).start()

    def _pass(self, one: socket.socket, other: socket.socket, may: Callable[[bytearray], bool]) -> None:
        with one, other:
            with suppress(OSError), one.makefile("rb") as stream:
                while size := stream.read(4):
                    frame = bytearray(size + stream.read(int.from_bytes(size)))
                    if may(frame):
                        other.sendall(frame)
            for end in (one, other):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)  # the other direction ends with this one


B = TypeVar("B", bound=Between)


@contextmanager
def standing_between(home: Path, make: Callable[[int, int], B]) -> Iterator[tuple[str, B]]:
    """The address of a node behind a door, and who stands there: `make` is told the door's port and the node's."""
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
    between = make(door, behind)
    try:
        node.start()
        yield f"127.0.0.1:{door}", between
    finally:
        between.close()
        node.kill()
