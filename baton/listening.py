"""Whether a server can listen where the settings say, and what to mend where it cannot."""

from __future__ import annotations

import os
import socket

from baton.refusal import Refusal
from baton.settings import variable
from streaming import hosts


def demand_host(host: str) -> None:
    """See that a server can listen on `host`, at whatever port. Raises `Refusal`."""
    try:
        with socket.socket(hosts.family(host)) as probe:
            probe.bind((host, 0))
    except (OSError, UnicodeError) as error:
        raise Refusal(
            f"{variable('host')}: this machine cannot listen on {host!r} ({_said(error)})",
            "Give an address of this machine, or a name that has one of IPv4: 127.0.0.1, or 0.0.0.0 for all it has",
        ) from error


def refused(error: OSError, host: str, port: int, field: str) -> Refusal:
    """The refusal of a server that cannot listen there though the host will do; `field` is the setting of its port."""
    taken = f"port {port} on {host} cannot be taken ({_said(error)})"
    return Refusal(taken, f"Set {variable(field)} to another one; 0 takes a free one")


def _said(error: Exception) -> str:
    if isinstance(error, socket.gaierror):
        return error.strerror or "no such name"
    number = getattr(error, "errno", None)
    return os.strerror(number) if number else "no such name"
