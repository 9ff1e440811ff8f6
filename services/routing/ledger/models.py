"""The tables of the ledger."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    MetaData,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Table(DeclarativeBase):
    """A table of the ledger. Times are with zone; ids are texts, since leads' ids may come from elsewhere."""

    metadata = MetaData(naming_convention=CONVENTION)
    type_annotation_map = {  # noqa: RUF012 SQLAlchemy's attribute
        str: Text,
        int: BigInteger,
        bytes: LargeBinary,
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
        list[str]: ARRAY(Text),
    }


class Position(Table):
    """Offset at which a source partition goes on: it commits with the work that was done."""

    __tablename__ = "positions"

    topic: Mapped[str] = mapped_column(primary_key=True)
    partition: Mapped[int] = mapped_column(primary_key=True)
    next: Mapped[int]


class Source(Table):
    """Which topic of that name the positions are of, in Kafka's own id: one that was made anew has another."""

    __tablename__ = "sources"

    topic: Mapped[str] = mapped_column(primary_key=True)
    origin: Mapped[str]


class RosterVersion(Table):
    """A roster that was applied, by its hash."""

    __tablename__ = "rosters"

    hash: Mapped[str] = mapped_column(primary_key=True)
    content: Mapped[dict[str, Any]]
    applied_at: Mapped[datetime]


class RepRow(Table):
    """How a rep stands. `away` is null while they are available; then it holds the reason, which may be empty."""

    __tablename__ = "reps"

    id: Mapped[str] = mapped_column(primary_key=True)
    open: Mapped[int] = mapped_column(server_default=text("0"))
    day: Mapped[date | None]
    taken: Mapped[int] = mapped_column(server_default=text("0"))
    away: Mapped[str | None]
    away_until: Mapped[datetime | None]


class QueueRow(Table):
    """How a queue stands: its turn, and the counts since its candidates last changed."""

    __tablename__ = "queues"

    id: Mapped[str] = mapped_column(primary_key=True)
    turn: Mapped[int] = mapped_column(server_default=text("0"))
    given: Mapped[int] = mapped_column(server_default=text("0"))
    seats: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    had: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    last: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))


class AssignmentRow(Table):
    """An assignment as it stands now. `lane`: the partition that the lead's records come from.

    `known_as_of`: the `as_of` that the lead's records had come to when sales recycled it; null where it did not.
    """

    __tablename__ = "assignments"

    assignment_id: Mapped[str] = mapped_column(primary_key=True)
    lead_id: Mapped[str]
    qualification: Mapped[int]
    queue: Mapped[str]
    rep: Mapped[str | None]
    status: Mapped[str]
    sequence: Mapped[int]
    turn: Mapped[int]
    tries: Mapped[int]
    declined: Mapped[list[str]]
    escalated: Mapped[bool]
    respond_by: Mapped[datetime | None]
    lane: Mapped[int]
    routed: Mapped[bytes]
    reason: Mapped[str]
    outcome: Mapped[str | None]
    outcome_at: Mapped[datetime | None]
    known_as_of: Mapped[datetime | None]
    entered_at: Mapped[datetime]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("lead_id", "qualification"),
        Index(
            "ix_assignments_due", "respond_by", postgresql_where=text("status = 'offered' AND respond_by IS NOT NULL")
        ),
        Index("ix_assignments_waiting", "queue", "entered_at", postgresql_where=text("status = 'waiting'")),
        Index("ix_assignments_open_offers", "queue", postgresql_where=text("status = 'offered'")),
        Index("ix_assignments_rep_status", "rep", "status"),
        Index("ix_assignments_created_at", "created_at", "assignment_id"),
    )


class AssignmentEvent(Table):
    """One change of an assignment; `sequence` rises by one."""

    __tablename__ = "assignment_events"

    assignment_id: Mapped[str] = mapped_column(ForeignKey(AssignmentRow.assignment_id), primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    queue: Mapped[str]
    rep: Mapped[str | None]
    status: Mapped[str]
    reason: Mapped[str]
    occurred_at: Mapped[datetime]


class DecisionRow(Table):
    """Why an assignment's change of that sequence came out as it did: a `schemas.Decision`."""

    __tablename__ = "decisions"

    assignment_id: Mapped[str] = mapped_column(ForeignKey(AssignmentRow.assignment_id), primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    decision: Mapped[dict[str, Any]]


class SuppressionRow(Table):
    """A lead that nobody got at its last record, and why."""

    __tablename__ = "suppressions"

    lead_id: Mapped[str] = mapped_column(primary_key=True)
    rule: Mapped[str]
    reason: Mapped[str]
    event_id: Mapped[str]
    rules_hash: Mapped[str]
    occurred_at: Mapped[datetime]


class LeadRow(Table):
    """The last `ScoredLead` of a lead, as it came. `email` in small letters."""

    __tablename__ = "leads"

    lead_id: Mapped[str] = mapped_column(primary_key=True)
    email: Mapped[str | None] = mapped_column(index=True)
    value: Mapped[bytes]
    as_of: Mapped[datetime]


class OutcomeRow(Table):
    """What sales said of a lead: a `schemas.SalesOutcome`, once an id."""

    __tablename__ = "outcomes"

    outcome_id: Mapped[str] = mapped_column(primary_key=True)
    lead_id: Mapped[str] = mapped_column(index=True)
    assignment_id: Mapped[str | None]
    kind: Mapped[str]
    value: Mapped[bytes]
    occurred_at: Mapped[datetime]


class Lane(Table):
    """Next sequence of a lane of the outbox. Its row is locked until the commit, so commits are in that order."""

    __tablename__ = "outbox_lanes"

    lane: Mapped[int] = mapped_column(primary_key=True)
    next: Mapped[int]


class OutboxRow(Table):
    """A record that is to be published. Sequences have no gaps within a lane. `headers`: a JSON list of pairs."""

    __tablename__ = "outbox"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    lane: Mapped[int]
    sequence: Mapped[int]
    topic: Mapped[str]
    key: Mapped[bytes | None]
    value: Mapped[bytes | None]
    headers: Mapped[bytes]
    partition: Mapped[int | None]
    written_at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    __table_args__ = (UniqueConstraint("lane", "sequence"),)


class SetAsideRow(Table):
    """A record of the outbox that no topic takes: a note of it stands in its place, and names its `id`."""

    __tablename__ = "set_aside"

    # No number: a database that is restored from a backup would give it to another record, and the note would be there.
    id: Mapped[str] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()::text"))
    lane: Mapped[int]
    sequence: Mapped[int]
    topic: Mapped[str]
    key: Mapped[bytes | None]
    value: Mapped[bytes | None]
    headers: Mapped[bytes]
    partition: Mapped[int | None]
    kept_at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    __table_args__ = (UniqueConstraint("lane", "sequence"),)


class RelayPosition(Table):
    """Sequence up to which a lane was published, as the relay last noted it; what Kafka says comes first."""

    __tablename__ = "relay_positions"

    lane: Mapped[int] = mapped_column(primary_key=True)
    next: Mapped[int]


class LedgerIdentity(Table):
    """One row: which ledger this is. What Kafka remembers of another one's outbox must not be taken for ours."""

    __tablename__ = "ledger_identity"

    id: Mapped[str] = mapped_column(primary_key=True)
