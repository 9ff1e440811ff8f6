"""The topics between the stages are sent again in whole, or read again from the first record: nothing changes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from confluent_kafka import Producer

from streaming.lag import lag
from tests.audit.ledger import read_ledger
from tests.audit.look import look
from tests.audit.records import Seen, read_all
from tests.integration.up.installation import EVENTS_EACH, SOURCES, Servers, journeys
from tests.running import Running, post
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.real_kafka, pytest.mark.postgres, pytest.mark.timeout(300)]

PEOPLE = 60
WORKERS = "ingest=1,scoring=1,routing=1"
QUEUES = ("sales.queue.general", "sales.queue.enterprise", "sales.assignments")
FAILED = tuple(f"{stage}.failed" for stage in SOURCES)
STATES = ("ingest.state", "scoring.state")
MARK = "claimed"
"""The key in a changelog under which a round says how far it has come: no key of a record."""
TABLES = (
    "assignments", "assignment_events", "decisions", "suppressions", "leads", "outcomes", "reps", "queues", "outbox",
    "outbox_lanes", "set_aside",
)  # fmt: skip
REPLAYED = ("baton_replay_of", b"a test")
"""By this header an audit knows what no stage wrote."""

LONG_BEFORE, AFTER, MUCH_LATER = "2026-04-01T00:00:00Z", "2026-05-06T10:00:00Z", "2026-05-20T10:00:00Z"
"""Of what everybody does, which ends on 2026-05-05."""


@dataclass(frozen=True)
class Standing:
    """All that must not change: rows by table, records of what sales reads, and last words by topic and key."""

    rows: dict[str, list[Any]]
    records: dict[str, list[Seen]]
    last_words: dict[str, dict[str, bytes | None]]
    scores: int


class Installation:
    """What is asked of it and done to it from outside, with no code of a stage."""

    def __init__(self, servers: Servers) -> None:
        self.servers, self.prefix = servers, servers.prefix
        self.database = servers.database.replace("postgresql+psycopg://", "postgresql://", 1)
        self.producer = Producer({"bootstrap.servers": servers.kafka, "enable.idempotence": True, "max.in.flight": 1})

    def query(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database) as connection:
            return connection.execute(query, values).fetchall()

    def read(self, name: str) -> list[Seen]:
        """Committed records of a topic, by partition and in order."""
        return sorted(read_all(self.servers.kafka, [self.prefix + name]), key=lambda seen: seen.place)

    def send(self, seen: Iterable[Seen], **changes: Any) -> None:
        """The same records again, each to the partition that it is in; `changes` are of their values."""
        for one in seen:
            value = json.dumps(json.loads(one.raw or b"") | changes).encode() if changes else one.raw
            headers: list[tuple[str, str | bytes | None]] = [*one.headers.items(), REPLAYED]
            self.producer.produce(one.topic, value, one.key.encode(), one.partition, headers=headers)
        assert self.producer.flush(60) == 0

    def say(self, kind: str, occurred_at: str, leads: Iterable[str]) -> None:
        """What sales says became of leads; waits until the ledger has heard it."""
        ids = [f"{lead}-{kind}-{occurred_at}" for lead in leads]
        for id_ in ids:
            lead = id_.removesuffix(f"-{kind}-{occurred_at}")
            value = {"outcome_id": id_, "lead_id": lead, "kind": kind, "occurred_at": occurred_at}
            self.producer.produce(self.prefix + "sales.outcomes", json.dumps(value).encode(), lead.encode())
        assert self.producer.flush(60) == 0
        heard = "SELECT 1 FROM outcomes WHERE outcome_id = ANY(%s)"
        until(lambda: len(self.query(heard, ids)) == len(ids), 60, f"{kind} to be heard", every=0.2)

    def at_rest(self) -> bool:
        """Whether scoring and routing have read all, by what they themselves say, and all is published."""
        topic = self.prefix + SOURCES["routing"]
        positions = self.query("SELECT partition, next FROM positions WHERE topic = %s", topic)
        routing = {(topic, partition): at for partition, at in positions}
        group = f"{self.prefix}baton-scoring"
        left = [at.records for at in lag(self.servers.kafka, group, [topic], routing)]
        left += self.servers.left("scoring")
        return not any(left) and not self.query("SELECT 1 FROM outbox LIMIT 1")

    def standing(self) -> Standing:
        until(self.at_rest, 90, "all to be read and published", every=0.3)
        kept = {name: self.read(name) for name in (*QUEUES, *FAILED)}
        words = {name: self.read(name) for name in ("leads.scored", *STATES)}
        return Standing(
            {table: self.query(f"SELECT * FROM {table} ORDER BY 1, 2") for table in TABLES},
            kept,
            {name: {one.key: one.raw for one in found if one.key != MARK} for name, found in words.items()},
            len(words["leads.scored"]),
        )

    def history(self) -> dict[str, int]:
        """A lead of every kind of history with sales; how many assignments each has in the end."""
        leads = sorted({lead for (lead,) in self.query("SELECT lead_id FROM assignments")})
        assert len(leads) == PEOPLE
        held, won, dated_before, recycled, again, twice = (leads[n::6] for n in range(6))
        self.say("won", AFTER, won)
        self.say("recycled", LONG_BEFORE, [*dated_before, *again])
        self.say("recycled", AFTER, [*recycled, *twice])
        last = {seen.key: seen for seen in self.read("leads.scored")}
        anew = {"from": "recycled", "to": "mql", "reason": "came back"}
        # No stage writes that yet.
        self.send((last[lead] for lead in [*again, *twice]), as_of=MUCH_LATER, event_id="later", transition=anew)
        until(self.at_rest, 60, "who came back to be assigned", every=0.3)
        self.say("recycled", LONG_BEFORE, twice)
        return dict.fromkeys([*held, *won, *dated_before, *recycled], 1) | dict.fromkeys([*again, *twice], 2)


def same(before: Standing, after: Standing) -> None:
    for table in TABLES:
        assert before.rows[table] == after.rows[table], table
    for name in before.records:
        assert before.records[name] == after.records[name], name
    for name, words in before.last_words.items():
        assert words == after.last_words[name], name


def test_topics_that_are_sent_or_read_again_in_whole_change_nothing(
    real_kafka: str, topic_prefix: str, database_url: str, tmp_path: Path
) -> None:
    servers = Servers(real_kafka, database_url, topic_prefix)
    installation = Installation(servers)

    def at_work(do: Callable[[], Standing]) -> Standing:
        with Running(tmp_path, servers.environment, WORKERS) as running:
            ready.update(running.hears("ready", 120))
            found = do()
            assert running.stop() == 0
        return found

    def send_again(name: str) -> Standing:
        installation.send(installation.read(name))
        return installation.standing()

    def begin() -> Standing:
        post(ready["collector"], journeys(PEOPLE))
        until(lambda: servers.at_rest(PEOPLE * EVENTS_EACH), 90, "every lead on its queue", every=0.5)
        due.update(installation.history())
        first = installation.standing()
        of_events = send_again("leads.events")
        same(first, of_events)
        assert first.scores == of_events.scores
        same(first, send_again("leads.scored"))
        return first

    ready: dict[str, Any] = {}
    due: dict[str, int] = {}
    first = at_work(begin)
    with psycopg.connect(installation.database) as connection:
        forgotten = connection.execute("DELETE FROM positions WHERE topic = %s", [topic_prefix + "leads.scored"])
    same(first, at_work(installation.standing))

    assert forgotten.rowcount > 1
    assigned: dict[str, list[int]] = {}
    for one in read_ledger(database_url).assignments:
        assigned.setdefault(one.lead_id, []).append(one.qualification)
    assert {lead: sorted(of) for lead, of in assigned.items()} == {lead: [1, 2][:n] for lead, n in due.items()}
    assert look(real_kafka, database_url, topic_prefix).violations == ()
