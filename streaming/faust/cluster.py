"""What an engine asks about topics and groups beside its work, over a connection of its own each time.

By kafka-python: where the answer to one of librdkafka's admin requests comes after its time, as around a broker's
restart, an assertion ends the process (its issues 3663 and 4605).
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from uuid import UUID

from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError, for_code

from streaming.admin import KafkaUnreachable, connection
from streaming.faust.settings import EngineSettings
from streaming.stage import TransientError

NO_ID = "AAAAAAAAAAAAAAAAAAAAAA"
"""The identity of topics whose broker gives them none."""
ASK_SECONDS = 10.0
GONE = "Dead"


class Group(NamedTuple):
    """A group as its coordinator sees it: the state in Kafka's words, and the client ids of its members."""

    state: str
    members: frozenset[str]


def group(settings: EngineSettings, seconds: float = ASK_SECONDS) -> Group:
    """The group of a stage; one that nobody has ever joined is `GONE`. Raises TransientError."""
    with _asked(settings, seconds) as admin:
        found = admin.describe_groups([settings.group])[settings.group]
    if found["error"] and found["group_state"] != GONE:
        raise TransientError(f"the group's coordinator does not say who is in it: {found['error']}")
    return Group(found["group_state"], frozenset(member["client_id"] for member in found["members"]))


def topic_id(settings: EngineSettings, topic: str) -> str:
    """The identity of a topic, by which one that was made anew is another. Raises TransientError."""
    with _asked(settings, ASK_SECONDS) as admin:
        return _topic_id(admin, topic)


def identity(settings: EngineSettings, topic: str) -> tuple[str, float]:
    """The identity of a topic, and for how many seconds it keeps tombstones. Raises TransientError."""
    with _asked(settings, ASK_SECONDS) as admin:
        resource = ConfigResource(ConfigResourceType.TOPIC, topic, None)
        config = admin.describe_configs([resource], config_filter="all")["topic"].get(topic, {})
        kept = config.get("delete.retention.ms")
        return _topic_id(admin, topic), float(kept["value"]) / 1000 if kept is not None else 0.0


def _topic_id(admin: Any, topic: str) -> str:
    [described] = admin.describe_topics([topic])
    if described["error_code"]:
        raise for_code(described["error_code"])(topic)
    found = described.get("topic_id")
    return b64encode(UUID(str(found)).bytes).decode().rstrip("=") if found is not None else NO_ID


@contextmanager
def _asked(settings: EngineSettings, seconds: float) -> Iterator[Any]:
    try:
        with connection(settings.address(), seconds, seconds) as admin:
            yield admin
    except (KafkaError, KafkaUnreachable) as error:
        raise TransientError(f"the brokers do not say how things are: {error}") from error
