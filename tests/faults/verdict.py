"""The independent reader: what stands in topics and tables against the closed form. It shares no code with a stage."""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import psycopg
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from tests.audit.look import look
from tests.faults import people
from tests.faults.changelogs import Changelog, Known, known
from tests.faults.closed_form import KEYS, NOTHING, PARTITIONS, REASONS, Sum, end_of, fault_of, good_events, key_of
from tests.faults.patience import Patience

SHOWN = 5
READ_SECONDS = 900.0


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
        changelog = _changelog(verdict, bootstrap, prefix + "sums.state")
        found = {key: Sum(*json.loads(value)) for key, value in changelog.values.items()}
        verdict.notes.append(f"changelog: {changelog}")
    else:
        found, waiting = _state_in_table(table)
        verdict.notes.append(f"outbox: {waiting} records left")
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


def _changelog(verdict: Verdict, bootstrap: str, topic: str) -> Changelog:
    changelog = Changelog.of(committed_records(bootstrap, topic))
    if not changelog.is_compacted:
        verdict.say(f"{topic} was not compacted: {changelog}")
    return changelog


def _state_in_table(url: str) -> tuple[dict[bytes, Sum], int]:
    """The state, and how much waits in the outbox."""
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT key, count, checksum FROM sums").fetchall()
        waiting = connection.execute("SELECT count(*) FROM outbox").fetchall()[0][0]
    return {bytes(key): Sum(count, checksum) for key, count, checksum in rows}, int(waiting)


def judge_path(bootstrap: str, database: str, prefix: str, count: int, seconds: float, times: int = 1) -> Verdict:
    """The three stages, once they have come to rest; looks again until nothing is amiss or `seconds` have passed.

    `times`: how often all that people sent was sent.
    """
    patience = Patience(seconds)
    while True:
        verdict = _look_at_path(bootstrap, database, prefix, count, times)
        if not verdict.violations or patience.over:
            return verdict
        time.sleep(3)


@dataclass
class Found:
    """What stands there of each person, by e-mail address: in the changelog, as scores, on queues."""

    remembered: Mapping[str, Known]
    came: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    final: dict[str, tuple[float, float, str, str]] = field(default_factory=dict)
    queues: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


def judge_person(verdict: Verdict, person: int, found: Found) -> None:
    """Whether what stands there of a person is what must come of them."""
    who, due = people.email(person), people.expected(person)
    verdict.events += due.events
    scores, final, remembered = found.came.get(who, []), found.final.get(who), found.remembered.get(who)
    if len(scores) != due.events:
        verdict.lost += max(0, due.events - len(scores))
        verdict.duplicates += max(0, len(scores) - due.events)
        verdict.say(f"{who} has {len(scores)} scores for {due.events} events")
    elif scores != people.order(person):
        verdict.say(f"the scores of {who} came in the order {scores}")
    elif final != (due.fit, due.engagement, due.grade, due.stage):
        verdict.doubled += final is not None and final[1] > due.engagement
        verdict.say(f"{who} ends as {final}, not as {due}")
    if remembered != (state := Known(due.events, due.views, due.stage)):
        verdict.doubled += remembered is not None and (remembered.events, remembered.views) > (due.events, due.views)
        verdict.say(f"{who} is remembered as {remembered}, not as {state}")
    if found.queues.get(who, []) != ([due.queue] if due.queue else []):
        verdict.say(f"{who} is on {found.queues.get(who, [])}, not on {due.queue}")


def _look_at_path(bootstrap: str, database: str, prefix: str, count: int, times: int) -> Verdict:
    report = look(bootstrap, database, prefix, READ_SECONDS)
    verdict = Verdict()
    for violation in report.violations:
        verdict.lost += any(word in violation for word in ("never", "neither", "not published", " 0 times"))
        verdict.duplicates += "times" in violation and " 0 times" not in violation
        verdict.say(violation)
    found = Found(known(_changelog(verdict, bootstrap, f"{prefix}scoring.state")))
    _changelog(verdict, bootstrap, f"{prefix}ingest.state")
    for message in committed_records(bootstrap, prefix + "leads.scored"):
        if message.value() == people.RUBBISH:
            continue
        value = json.loads(message.value() or b"{}")
        who = str(value["person"]["email"])
        found.came[who].append(value["event_id"])
        found.final[who] = (value["fit"], value["engagement"], value["grade"], value["stage"])
    with psycopg.connect(database) as connection:
        rows = connection.execute("SELECT l.email, a.queue FROM assignments a JOIN leads l USING (lead_id)").fetchall()
    for who, queue in rows:
        found.queues[who].append(queue)
    for person in range(count):
        judge_person(verdict, person, found)
    rubbish, poison = (sum(map(bad, range(count))) for bad in (people.rubbish_after, people.poison_after))
    rubbish *= times
    bad = {"ingest": rubbish, "scoring": poison, "routing": poison}
    failed = {stage: report.lines[f"records in {stage}.failed"].split()[0] for stage in bad}
    for stage, wanted in bad.items():
        if int(failed[stage]) != wanted:
            verdict.say(f"{stage}.failed has {failed[stage]} records, not {wanted}")
    verdict.notes.append(f"{count} people, {len(rows)} assignments, {' + '.join(failed.values())} failed")
    return verdict
