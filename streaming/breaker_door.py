"""`POST /breaker/close`: how an operator's word reaches a running worker.

Only programs on the worker's own machine are heard: the port is often open to whoever scrapes metrics. And only JSON:
a page in somebody's browser cannot send that to another site unasked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

PATH = "/breaker/close"
MOST_BYTES = 1_000
MOST = 1_000_000_000

Close = Callable[[int], Mapping[str, str]]
"""Given how many failures may pass, closes the breakers; gives by stage why it stood still, empty where it did not."""


def answer(close: Close, peer: str, here: str, content_type: str, body: bytes) -> tuple[int, dict[str, Any]]:
    """Status and body for a request from address `peer` to ours, `here`. The body may be `{"allowance": 500}`."""
    if not same_machine(peer, here):
        return 403, {"error": "only programs on this machine may close its breaker: call it there"}
    if content_type.partition(";")[0].strip().lower() != "application/json":
        return 415, {"error": "send JSON: content-type application/json"}
    try:
        order = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        return 400, {"error": "the body is no JSON"}
    allowance = order.get("allowance", 0) if isinstance(order, dict) else None
    if type(allowance) is not int or not 0 <= allowance <= MOST:
        return 400, {"error": f"allowance: is not a number of records from 0 to {MOST}"}
    return 200, {"stages": dict(close(allowance)), "allowance": allowance}


def same_machine(peer: str, here: str) -> bool:
    """Whether a connection from address `peer` to address `here` never left the machine."""
    try:
        whence, where = _plain(peer), _plain(here)
    except ValueError:
        return False
    return whence.is_loopback or whence == where


def _plain(address: str) -> IPv4Address | IPv6Address:
    """An address; IPv4 inside IPv6 (`::ffff:127.0.0.1`) as IPv4."""
    found = ip_address(address.partition("%")[0])
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found
