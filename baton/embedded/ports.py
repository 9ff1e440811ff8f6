"""TCP ports of this machine."""

from __future__ import annotations

import socket

from streaming import hosts


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nothing listens on now."""
    with socket.socket(hosts.family(host)) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen there."""
    with socket.socket(hosts.family(host)) as probe:
        hosts.only_its_family(probe)
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: waiting connections do not count
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def answers(port: int, host: str = "127.0.0.1", timeout: float = 0.5) -> bool:
    """Whether something takes connections there."""
    try:
        with socket.create_connection((host, port), timeout):
            return True
    except OSError:
        return False
