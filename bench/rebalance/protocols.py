"""The ways in which a group shares partitions out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SESSION_MS, HEARTBEAT_MS = 10_000, 1_667
"""As the engine's workers have them."""


@dataclass(frozen=True, slots=True)
class Protocol:
    """What a consumer is told, and, where the broker decides, what the broker is."""

    name: str
    consumer: Mapping[str, Any]
    broker: Mapping[str, str]


def _classic(name: str, strategy: str) -> Protocol:
    told = {"session.timeout.ms": SESSION_MS, "heartbeat.interval.ms": HEARTBEAT_MS}
    return Protocol(name, {"group.protocol": "classic", "partition.assignment.strategy": strategy, **told}, {})


def _new(name: str, heartbeat_ms: int) -> Protocol:
    """The new protocol: session and heartbeat are the broker's to say; by itself it takes no session below 45 s."""
    told = {
        "group.consumer.session.timeout.ms": SESSION_MS,
        "group.consumer.min.session.timeout.ms": 1_000,
        "group.consumer.heartbeat.interval.ms": heartbeat_ms,
        "group.consumer.min.heartbeat.interval.ms": 100,
    }
    return Protocol(name, {"group.protocol": "consumer"}, {key: str(value) for key, value in told.items()})


PROTOCOLS = (
    _classic("classic, range (eager)", "range"),
    _classic("classic, cooperative-sticky", "cooperative-sticky"),
    _new("consumer (KIP-848), heartbeat as above", HEARTBEAT_MS),
    _new("consumer (KIP-848), heartbeat 5 s, the default", 5_000),
)
