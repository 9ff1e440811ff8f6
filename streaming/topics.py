"""Brings the topics to what they should be: as often as one likes, and never at the cost of a record.

Missing topics are created and settings are changed. The number of partitions is never touched: keys, and the state
that belongs to them, would move to other partitions. Nor are copies made of what is there: that is an operator's work,
who knows which brokers have room. Where either differs, that is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import for_code

from streaming.admin import KafkaRefused, ask
from streaming.client import KafkaAddress
from streaming.lag import PartitionLag, lag

__all__ = ["Change", "Existing", "PartitionLag", "TopicSpec", "apply", "changes", "lag"]

UNKNOWN_TOPIC, ALREADY_EXISTS = 3, 36  # Kafka's protocol, error codes
MIN_INSYNC = "min.insync.replicas"
_LISTS = {"cleanup.policy"}  # settings whose parts may come in any order


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic as it should be. `config` in Kafka's words and units; `replication` -1 leaves it to the brokers."""

    name: str
    partitions: int
    config: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    replication: int = -1


@dataclass(frozen=True, slots=True)
class Existing:
    """A topic as it is; `config` has every setting, defaults too. `replication`: of the partition with the fewest."""

    partitions: int
    config: Mapping[str, str | None]
    replication: int


@dataclass(frozen=True, slots=True)
class Change:
    """What was done to a topic, or, for `…_differ`, what was found and left alone; `detail` in words."""

    topic: str
    kind: Literal["created", "config_changed", "partitions_differ", "replicas_differ"]
    detail: str


def changes(specs: Iterable[TopicSpec], existing: Mapping[str, Existing]) -> list[Change]:
    """What there is to do to bring `existing` (by name) to `specs`. Pure."""
    found: list[Change] = []
    for spec in specs:
        topic = existing.get(spec.name)
        if topic is None:
            settings = "".join(f", {name}={value}" for name, value in sorted(spec.config.items()))
            copies = f", {_counted(spec.replication, 'replica')}" if spec.replication > 0 else ""
            found.append(Change(spec.name, "created", f"{_counted(spec.partitions, 'partition')}{copies}{settings}"))
            continue
        if topic.partitions != spec.partitions:
            words = f"has {_counted(topic.partitions, 'partition')}, should have {spec.partitions}; left as it is"
            found.append(Change(spec.name, "partitions_differ", words))
        if 0 < spec.replication != topic.replication:
            words = f"has {_counted(topic.replication, 'replica')}, should have {spec.replication}; left as it is"
            found.append(Change(spec.name, "replicas_differ", words))
        if differing := _differing(spec, topic):
            words = ", ".join(f"{name}: {was} → {value}" for name, (was, value) in sorted(differing.items()))
            found.append(Change(spec.name, "config_changed", words))
    return found


def apply(address: KafkaAddress | str, specs: Sequence[TopicSpec], patience: float = 30.0) -> list[Change]:
    """Create what is missing and change what differs; gives what was done, nothing where all was well.

    Waits up to `patience` seconds for brokers that just came up. Raises KafkaUnreachable, and KafkaRefused with the
    names of all topics that the brokers refused.
    """
    if len({spec.name for spec in specs}) != len(specs):
        raise ValueError("a topic is named twice")
    return ask(address, lambda admin: _apply(admin, specs), patience)


def _apply(admin: KafkaAdminClient, specs: Sequence[TopicSpec]) -> list[Change]:
    by_name = {spec.name: spec for spec in specs}
    before = _existing(admin, list(by_name))
    done = changes(specs, before)
    created = _create(admin, [by_name[change.topic] for change in done if change.kind == "created"])
    late = [spec for spec in specs if spec.name not in before and spec.name not in created]
    if late:  # somebody else created them a moment ago: to be compared like any other
        done = [change for change in done if change.kind != "created" or change.topic in created]
        before = {**before, **_existing(admin, [spec.name for spec in late])}
        done += changes(late, before)
    differing = [change.topic for change in done if change.kind == "config_changed"]
    _alter(admin, {name: _possible(by_name[name], before[name]) for name in differing})
    return done


def _existing(admin: KafkaAdminClient, names: list[str]) -> dict[str, Existing]:
    if not names:
        return {}
    found: dict[str, list[int]] = {}  # how many copies each partition of a topic has
    for topic in admin.describe_topics(names):
        if topic["error_code"] == UNKNOWN_TOPIC:
            continue
        if topic["error_code"]:
            raise for_code(topic["error_code"])(topic["name"])
        found[topic["name"]] = [len(partition["replica_nodes"]) for partition in topic["partitions"]]
    if not found:
        return {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name, None) for name in found]
    settings = admin.describe_configs(resources, config_filter="all")["topic"]
    return {
        name: Existing(
            len(copies), {key: setting["value"] for key, setting in settings.get(name, {}).items()}, min(copies)
        )
        for name, copies in found.items()
    }


def _create(admin: KafkaAdminClient, specs: list[TopicSpec]) -> set[str]:
    """Create topics, wait until they can be used, and give those that nobody else created first."""
    if not specs:
        return set()
    asked: dict[str, dict[str, Any]] = {
        spec.name: {
            "num_partitions": spec.partitions,
            "replication_factor": spec.replication,
            "configs": dict(spec.config),
        }
        for spec in specs
    }
    answers = admin.create_topics(asked, raise_errors=False)["topics"]
    refused = [topic for topic in answers if topic["error_code"] not in (0, ALREADY_EXISTS)]
    for topic in refused:
        if for_code(topic["error_code"]).retriable:
            raise for_code(topic["error_code"])(topic["error_message"])
    if refused:
        raise KafkaRefused("; ".join(f"{topic['name']}: {topic['error_message']}" for topic in refused))
    admin.wait_for_topics(list(asked))
    return {topic["name"] for topic in answers if topic["error_code"] == 0}


def _alter(admin: KafkaAdminClient, settings: Mapping[str, dict[str, str]]) -> None:
    if not settings:
        return
    resources = [ConfigResource(ConfigResourceType.TOPIC, name, config) for name, config in settings.items()]
    try:
        answers = admin.alter_configs(resources)["topic"]
    except ValueError as error:  # a setting that the brokers do not know
        raise KafkaRefused(str(error)) from error
    if refused := {name: answer for name, answer in answers.items() if answer != "OK"}:
        raise KafkaRefused("; ".join(f"{name}: {answer}" for name, answer in sorted(refused.items())))


def _differing(spec: TopicSpec, topic: Existing) -> dict[str, tuple[str | None, str]]:
    return {
        name: (topic.config.get(name), value)
        for name, value in _possible(spec, topic).items()
        if _plain(name, topic.config.get(name)) != _plain(name, value)
    }


def _possible(spec: TopicSpec, topic: Existing) -> dict[str, str]:
    """Settings, but for one that would end all writing: more copies are to have a record than there are."""
    return {name: value for name, value in spec.config.items() if name != MIN_INSYNC or int(value) <= topic.replication}


def _plain(name: str, value: str | None) -> object:
    return frozenset(part.strip() for part in (value or "").split(",")) if name in _LISTS else value


def _counted(count: int, what: str) -> str:
    return f"1 {what}" if count == 1 else f"{count} {what}s"
