"""Hosts that servers listen on: of which kind of address they are, and how programs of the same machine get there."""

from __future__ import annotations

import socket

_HERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 asked for by whoever listens on all


def family(host: str) -> socket.AddressFamily:
    """An address with a colon is one of IPv6; all others, names among them, are of IPv4."""
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def url(host: str, port: int) -> str:
    """Where programs of this machine find what listens there, without a slash at the end."""
    host = _HERE.get(host, host)
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def only_its_family(one: socket.socket) -> None:
    """Let a socket of IPv6 leave the ports of IPv4 alone, as `socket.create_server` does; before it is bound."""
    if one.family == socket.AF_INET6:
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
