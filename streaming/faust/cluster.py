"""What an engine asks about topics and groups beside its work, over a connection of its own each time.

By kafka-python: where the answer to one of librdkafka's admin requests comes after its time, as around a broker's
restart, an assertion ends the process (its issues 3663 and 4605). And in a thread of its own, for kafka-python waits
without end where a broker takes a connection and then says nothing of TLS.
"""

from __future__ import annotations

import threading
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import for_code

from streaming.admin import KafkaUnreachable, ShutOut, connection
from streaming.faust.faults import EngineBroken
from streaming.faust.settings import EngineSettings
from streaming.stage import TransientError

T = TypeVar("T")

NO_ID = "AAAAAAAAAAAAAAAAAAAAAA"
"""The identity of topics whose broker gives them none."""
ASK_SECONDS, LATE_SECONDS = 10.0, 0.5
GONE = "Dead"


class Group(NamedTuple):
    """A group as its coordinator sees it: the state in Kafka's words, and the client ids of its members."""

    state: str
    members: frozenset[str]


def group(settings: EngineSettings, seconds: float = ASK_SECONDS) -> Group:
    """The group of a stage; one that nobody has ever joined is `GONE`. Raises TransientError."""
    found = _asked(settings, seconds, lambda admin: admin.describe_groups([settings.group])[settings.group])
    if found["error"] and found["group_state"] != GONE:
        raise TransientError(f"the group's coordinator does not say who is in it: {found['error']}")
    return Group(found["group_state"], frozenset(member["client_id"] for member in found["members"]))


def topic_id(settings: EngineSettings, topic: str) -> str:
    """The identity of a topic, by which one that was made anew is another. Raises TransientError."""
    return _asked(settings, ASK_SECONDS, lambda admin: _topic_id(admin, topic))


def identity(settings: EngineSettings, topic: str) -> tuple[str, float]:
    """The identity of a topic, and for how many seconds it keeps tombstones. Raises TransientError."""
    return _asked(settings, ASK_SECONDS, lambda admin: (_topic_id(admin, topic), _tombstone_seconds(admin, topic)))


def demand_entry(settings: EngineSettings) -> None:
    """Raises EngineBroken where brokers are there and do not let us in; the text says why, and the mend."""
    try:
        with connection(settings.address(), ASK_SECONDS):
            pass
    except ShutOut as why:
        raise EngineBroken(str(why)) from why
    except KafkaUnreachable:
        return


def _topic_id(admin: Any, topic: str) -> str:
    [described] = admin.describe_topics([topic])
    if described["error_code"]:
        raise for_code(described["error_code"])(topic)
    found = described.get("topic_id")
    return b64encode(UUID(str(found)).bytes).decode().rstrip("=") if found is not None else NO_ID


def _tombstone_seconds(admin: Any, topic: str) -> float:
    resource = ConfigResource(ConfigResourceType.TOPIC, topic, None)
    kept = admin.describe_configs([resource], config_filter="all")["topic"].get(topic, {}).get("delete.retention.ms")
    return float(kept["value"]) / 1000 if kept is not None else 0.0


def _asked(settings: EngineSettings, seconds: float, question: Callable[[Any], T]) -> T:
    """The answer, within `seconds` for all of it. Raises TransientError, whatever went wrong: it is asked again."""
    answer: Future[T] = Future()

    def ask() -> None:
        try:
            with connection(settings.address(), seconds, seconds) as admin:
                answer.set_result(question(admin))
        except Exception as error:  # noqa: BLE001 kafka-python lets those of sockets, of TLS and of its own through
            if not answer.done():
                answer.set_exception(error)

    threading.Thread(target=ask, name="a question", daemon=True).start()
    try:
        return answer.result(seconds + LATE_SECONDS)
    except Exception as error:
        why = str(error) or "no answer in time"
        raise TransientError(f"the brokers do not say how things are: {why}") from error
