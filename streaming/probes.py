"""The HTTP door that every process has for those who watch it: `/healthz`, `/readyz`, `/metrics`.

A worker with a breaker also takes `POST /breaker/close`, from its own machine alone.

It runs in a thread of its own, so it answers while the work is busy, and says so when the work stands still.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from streaming import breaker_door, hosts
from streaming.metrics import REGISTRY


class Readiness:
    """Named conditions that must all hold before a process may be given work; each is red until it is said to hold."""

    def __init__(self, *names: str) -> None:
        self._conditions = dict.fromkeys(names, (False, "not there yet"))
        self._watched: dict[str, Callable[[], str]] = {}
        self._lock = threading.Lock()

    def watch(self, name: str, why: Callable[[], str]) -> None:
        """Ask `why` whenever the condition `name` is looked at: it gives in words why not, empty where it holds."""
        with self._lock:
            self._watched[name] = why

    def set(self, name: str, ok: bool, why: str = "") -> None:  # noqa: FBT001 it is the value that is set
        """Say whether the condition `name` holds, and in words why not. May be called from any thread."""
        with self._lock:
            self._conditions[name] = (ok, why)

    @property
    def ready(self) -> bool:
        """Whether every condition holds."""
        return all(ok for ok, _ in self._snapshot().values())

    def as_json(self) -> dict[str, Any]:
        """`{"ready": bool, "conditions": {name: {"ok": bool, "why": str}}}`."""
        conditions = self._snapshot()
        return {
            "ready": all(ok for ok, _ in conditions.values()),
            "conditions": {name: {"ok": ok, "why": why} for name, (ok, why) in conditions.items()},
        }

    def _snapshot(self) -> dict[str, tuple[bool, str]]:
        with self._lock:
            conditions, watched = dict(self._conditions), dict(self._watched)
        asked = {name: why() for name, why in watched.items()}
        return conditions | {name: (not why, why) for name, why in asked.items()}


def always_alive() -> str:
    """A process that answers is alive."""
    return ""


class Probes:
    """The server. Used as a context manager, or with `start` and `close`.

    `port` 0 takes a free one; `url` says which. `unwell` gives in words why the process ought to be restarted, and an
    empty text where it need not be. `close_breakers` is what an operator may ask for, where there is a breaker.
    """

    def __init__(
        self,
        readiness: Readiness,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        registry: CollectorRegistry = REGISTRY,
        unwell: Callable[[], str] = always_alive,
        close_breakers: breaker_door.Close | None = None,
    ) -> None:
        """Take the port; raises OSError where it is taken already."""
        self.readiness, self.registry, self.unwell = readiness, registry, unwell
        self.close_breakers = close_breakers
        self._server = _Server(host, port, self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.3,), name="probes", daemon=True)

    @property
    def url(self) -> str:
        """Where programs of this machine find it, without a slash at the end."""
        return hosts.url(str(self._server.server_address[0]), int(self._server.server_address[1]))

    def start(self) -> Self:
        """Answer from now on."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Stop answering, and give the port back."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def answer(self, path: str, accept: str) -> tuple[int, str, bytes]:
        """Status, content type and body for a path; `accept` is the header of that name."""
        if path == "/metrics":
            encoder, content_type = choose_encoder(accept)
            return 200, content_type, encoder(self.registry)
        if path == "/healthz":
            why = self.unwell()
            return _json(503 if why else 200, {"alive": not why, "why": why})
        if path == "/readyz":
            state = self.readiness.as_json()
            return _json(200 if state["ready"] else 503, state)
        return _json(404, {"paths": ["/healthz", "/readyz", "/metrics"]})

    def order(self, path: str, peer: str, here: str, content_type: str, body: bytes) -> tuple[int, str, bytes]:
        """Status, content type and body for what is posted to a path, by `peer` (an address) to ours, `here`."""
        if path != breaker_door.PATH or self.close_breakers is None:
            return _json(404, {"paths": [breaker_door.PATH] if self.close_breakers is not None else []})
        return _json(*breaker_door.answer(self.close_breakers, peer, here, content_type, body))


def _json(status: int, body: dict[str, Any]) -> tuple[int, str, bytes]:
    return status, "application/json", json.dumps(body).encode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, host: str, port: int, probes: Probes) -> None:
        self.address_family, self.probes = hosts.family(host), probes
        super().__init__((host, port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away before its answer is no fault of ours, and no traceback."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def server_bind(self) -> None:
        """Take the port of the host's kind of address alone, as the doors do."""
        hosts.only_its_family(self.socket)
        super().server_bind()


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 10  # seconds; a client that says nothing does not hold a thread for ever

    def do_GET(self) -> None:
        """Answer, with a body."""
        self.wfile.write(self._head())

    def do_HEAD(self) -> None:
        """Answer, without one."""
        self._head()

    def do_POST(self) -> None:
        """Take an operator's word."""
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit() or int(length) > breaker_door.MOST_BYTES:
            self.wfile.write(
                self._send(*_json(413, {"error": f"say the body's length: {breaker_door.MOST_BYTES} bytes at most"}))
            )
            return
        body, here = self.rfile.read(int(length)), str(self.connection.getsockname()[0])
        kind = self.headers.get("Content-Type", "")
        answer = self.server.probes.order(self._path(), str(self.client_address[0]), here, kind, body)
        self.wfile.write(self._send(*answer))

    def _path(self) -> str:
        return self.path.partition("?")[0].rstrip("/")

    def _head(self) -> bytes:
        return self._send(*self.server.probes.answer(self._path(), self.headers.get("Accept", "")))

    def _send(self, status: int, content_type: str, body: bytes) -> bytes:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        return body

    def version_string(self) -> str:
        """Name no version of Python to strangers."""
        return "baton"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 named by http.server
        """Keep quiet: a probe a second is not news."""
