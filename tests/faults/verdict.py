"""The independent reader: what stands in topics and tables against the closed form. It shares no code with a stage.

This is what it says, and the part for the two sums; `path_verdict.py` is the part for ingest, scoring and routing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import psycopg
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from tests.faults.changelogs import Changelog, lanes
from tests.faults.closed_form import KEYS, NOTHING, PARTITIONS, REASONS, Sum, end_of, fault_of, good_events, key_of
from tests.faults.patience import Patience

SHOWN = 5


@dataclass
class Verdict:
    """Counts for the table, and sentences of which one is enough to fail."""

    events: int = 0
    lost: int = 0
    doubled: int = 0
    duplicates: int = 0
    violations: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def say(self, what: str) -> None:
        if len(self.violations) < SHOWN:
            self.violations.append(what)
        elif len(self.violations) == SHOWN:
            self.violations.append("… and more")


def committed_records(bootstrap: str, topic: str, seconds: float = 600) -> Iterator[Message]:
    """Every committed record of a topic. Raises TimeoutError where the ends are not reached."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "judge",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
        }
    )
    try:
        consumer.assign([TopicPartition(topic, n, OFFSET_BEGINNING) for n in range(PARTITIONS)])
        left, patience = set(range(PARTITIONS)), Patience(seconds)
        while left:
            if patience.over:
                raise TimeoutError(f"the end of {topic} was not reached")
            for message in consumer.consume(10_000, 0.5):
                error = message.error()
                if error is None:
                    yield message
                elif error.code() == KafkaError._PARTITION_EOF:
                    left.discard(message.partition())
                else:
                    raise KafkaException(error)
    finally:
        consumer.close()


def judge_sums(bootstrap: str, prefix: str, events: int, table: str | None) -> Verdict:
    """One of the two summing stages. `table`: URL of the database with its state, None where that is in Kafka."""
    verdict = Verdict(events)
    too_large = table is None
    due = [good_events(key, events, too_large) for key in range(KEYS)]
    state, awaited = [NOTHING] * KEYS, [next(one, None) for one in due]
    for message in committed_records(bootstrap, prefix + "out"):
        _judge_output(verdict, message, due, state, awaited)
    for key in range(KEYS):
        rest = [awaited[key], *due[key]] if awaited[key] is not None else []
        if rest:
            verdict.lost += len(rest)
            verdict.say(f"{prefix}out: {len(rest)} events of key {key} are missing, the first is {rest[0]}")
    _judge_failed(verdict, bootstrap, prefix, events, too_large)
    if table is None:
        changelog = read_changelog(verdict, bootstrap, prefix + "sums.state")
        found = {key: Sum(*json.loads(value)) for key, value in changelog.values.items()}
        gone = sum(end_of(key, events, too_large) == NOTHING for key in range(KEYS))
        verdict.notes.append(f"changelog: {changelog}, {len(changelog.deletions)} say of a key that it is deleted")
        verdict.notes.append(f"{gone} keys are to be deleted")
    else:
        found, waiting = _state_in_table(table)
        verdict.notes.append(f"outbox: {waiting} records left")
        judge_lanes(verdict, bootstrap, prefix + "routing.state", table)
    for key in range(KEYS):
        expected, seen = end_of(key, events, too_large), found.get(key_of(key), NOTHING)
        if seen != expected:
            verdict.doubled += max(1, seen.count - expected.count) if seen.count >= expected.count else 0
            verdict.lost += max(0, expected.count - seen.count)
            verdict.say(f"{prefix}: the state of key {key} is {seen}, not {expected}")
    return verdict


def _judge_output(
    verdict: Verdict, message: Message, due: list[Iterator[int]], state: list[Sum], awaited: list[int | None]
) -> None:
    count, checksum, event = (int(word) for word in (message.value() or b"").split())
    key = event % KEYS
    while awaited[key] is not None and event > awaited[key]:  # type: ignore[operator]
        verdict.lost += 1
        verdict.say(f"event {awaited[key]} of key {key} has no output in its place")
        state[key] = state[key].after(awaited[key] or 0)
        awaited[key] = next(due[key], None)
    if awaited[key] != event:
        verdict.duplicates += 1
        verdict.say(f"event {event} of key {key} has a second output at {message.partition()}-{message.offset()}")
        return
    state[key] = state[key].after(event)
    awaited[key] = next(due[key], None)
    if message.key() != key_of(event):
        verdict.say(f"the output of event {event} has the key {message.key()!r}")
    if state[key] != Sum(count, checksum):
        verdict.doubled += count > state[key].count
        verdict.say(f"the output of event {event} says {count}, {checksum}; it must be {state[key]}")


def _judge_failed(verdict: Verdict, bootstrap: str, prefix: str, events: int, too_large: bool) -> None:
    due = {n: REASONS[fault_of(n)] for n in range(events) if fault_of(n) and (too_large or fault_of(n) != b"+")}
    seen: Counter[int] = Counter()
    reasons: Counter[str] = Counter()
    for message in committed_records(bootstrap, prefix + "sums.failed"):
        event = int((message.value() or b"")[1:])
        said = dict(message.headers() or []).get("baton_reason")
        reason = said.decode() if isinstance(said, bytes) else ""
        seen[event] += 1
        reasons[reason] += 1
        if due.get(event) != reason:
            verdict.say(f"event {event} failed with {reason}; that must be {due.get(event, 'no failure')}")
    missing, doubled = due.keys() - seen.keys(), sum(times - 1 for times in seen.values())
    verdict.lost += len(missing)
    verdict.duplicates += doubled
    if missing or doubled:
        verdict.say(f"{prefix}sums.failed: {len(missing)} are missing ({sorted(missing)[:5]}), {doubled} too many")
    verdict.notes.append("failed " + ", ".join(f"{reason} {times}" for reason, times in sorted(reasons.items())))


def read_changelog(verdict: Verdict, bootstrap: str, topic: str) -> Changelog:
    """A changelog, which must have been compacted."""
    changelog = Changelog.of(committed_records(bootstrap, topic))
    if not changelog.is_compacted:
        verdict.say(f"{topic} was not compacted: {changelog}")
    return changelog


def judge_lanes(verdict: Verdict, bootstrap: str, topic: str, database: str) -> None:
    """What a relay would go on from: the topic must say of each lane what the ledger says, once all is published."""
    ledger, published = lanes(read_changelog(verdict, bootstrap, topic))
    with psycopg.connect(database) as connection:
        rows = connection.execute("SELECT lane, next FROM outbox_lanes").fetchall()
        [[own]] = connection.execute("SELECT id FROM ledger_identity").fetchall()
    written: dict[int, int] = dict(rows)
    if written and ledger != own:
        verdict.say(f"{topic} tells of the lanes of ledger {ledger or 'none'}, not of {own}")
    for lane in sorted(written.keys() | published.keys()):
        if (found := published.get(lane, 0)) != (due := written.get(lane, 0)):
            verdict.lost += found < due
            verdict.say(f"{topic}: lane {lane} is published up to {found}, and {due} were written")


def _state_in_table(url: str) -> tuple[dict[bytes, Sum], int]:
    """The state, and how much waits in the outbox."""
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT key, count, checksum FROM sums").fetchall()
        waiting = connection.execute("SELECT count(*) FROM outbox").fetchall()[0][0]
    return {bytes(key): Sum(count, checksum) for key, count, checksum in rows}, int(waiting)
