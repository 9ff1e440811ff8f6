"""Gathers what is known of a lead: its events and scores from Kafka, its way to sales from the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from baton import provisioning
from baton.explain.history import history
from baton.explain.identifiers import canonical, identifiers
from baton.failed import FailedRecord
from baton.failed import records as failed_records
from baton.records import partitions_of, read
from baton.refusal import NO, Refusal
from baton.settings import Settings
from schemas.ids import lead_id
from schemas.topics import LEADS_EVENTS, LEADS_SCORED
from streaming.client import KafkaAddress
from streaming.partition import partition_of


@dataclass(frozen=True, slots=True)
class Dossier:
    """A lead.

    `events`: its `LeadEvent`s by time. `transitions`: those of its stage, each with `at`. `ledger`: what
    `services.routing.ledger.reading.lead` gives; None where routing has not seen it. `unreadable`: records with the
    lead's key that could not be read. `scored`: the last `ScoredLead` that scoring has published; empty without one.
    """

    lead_id: str
    events: list[dict[str, Any]]
    transitions: list[dict[str, Any]] = field(default_factory=list)
    ledger: dict[str, Any] | None = None
    unreadable: int = 0
    scored: dict[str, Any] = field(default_factory=dict)

    @property
    def score(self) -> dict[str, Any]:
        """The last `ScoredLead` that routing has taken, else that scoring has published; empty where there is none."""
        return (self.ledger or {}).get("score") or self.scored

    def document(self) -> dict[str, Any]:
        """As `--json` prints it."""
        known = {
            "lead_id": self.lead_id,
            "events": self.events,
            "transitions": self.transitions,
            "unreadable": self.unreadable,
        }
        if self.ledger is None and self.scored:
            known["score"] = self.scored
        return known | {name: value for name, value in (self.ledger or {}).items() if name not in known}


def gather(settings: Settings, wanted: str) -> Dossier:
    """The lead with that id, e-mail address or phone number. Raises `Refusal` where nobody knows it."""
    of = id_of(wanted)
    ledger = _ledger(settings, of, wanted)
    if ledger is not None:
        of = str(ledger["lead_id"])
    address, prefix = provisioning.kafka_address(settings), settings.topic_prefix
    told = history(_values(address, prefix + LEADS_EVENTS, of), _values(address, prefix + LEADS_SCORED, of))
    if ledger is None and not told.events:
        raise Refusal(*_nobody(settings, wanted), NO)
    return Dossier(of, told.events, told.transitions, ledger, told.unreadable, told.score)


def id_of(wanted: str) -> str:
    """The id of the lead that an e-mail address or a phone number identifies; anything else is an id itself."""
    from services.ingest import contacts

    if "@" in wanted:
        email = contacts.email(wanted)
        if email is None:
            raise Refusal(f"`{wanted}` is no e-mail address: it {contacts.email_problem(wanted)}", "Correct it")
        return lead_id("email", email)
    phone = contacts.phone(wanted) if wanted.startswith("+") else None
    return lead_id("phone", phone) if phone else wanted


def _ledger(settings: Settings, of: str, wanted: str) -> dict[str, Any] | None:
    from sqlalchemy.exc import SQLAlchemyError

    from services.routing.ledger import connect
    from services.routing.ledger.reading import lead

    engine = connect(provisioning.database_url(settings), pool_size=1)
    try:
        with engine.connect() as connection:
            return lead(connection, of) or lead(connection, wanted)
    except SQLAlchemyError as error:
        raise Refusal("the ledger cannot be read", "See `baton doctor`") from error
    finally:
        engine.dispose()


def _values(address: KafkaAddress, topic: str, of: str) -> Iterator[bytes]:
    """Values of the records of lead `of`, in order."""
    count = partitions_of(address, topic)
    if count:
        key = of.encode()
        mine = (one for one in read(address, [topic], partition_of(key, count)) if one.key() == key)
        yield from (one.value() or b"" for one in mine if one.value() is not None)


def _nobody(settings: Settings, wanted: str) -> tuple[str, str]:
    said = canonical(wanted)
    for one in failed_records(settings):
        if said in identifiers(one.key, one.value):
            return f"nobody knows `{wanted}`; a record with it {_failed(one)}", f"See `baton failed show {one.id}`"
    mend = "Ask by e-mail address, phone number (+…) or lead id; an event that was just sent takes a moment"
    return f"nobody knows `{wanted}`", mend


def _failed(one: FailedRecord) -> str:
    return f"could not be processed by {one.stage} ({one.reason}: {one.detail})"
