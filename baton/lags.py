"""How far each stage is behind its input. Routing's positions stand in the ledger, the others' in Kafka."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from baton.provisioning import database_url, kafka_address, unreachable
from baton.refusal import Refusal
from baton.settings import Settings
from schemas.topics import LEADS_EVENTS, LEADS_SCORED, MARKETING_EVENTS
from streaming.admin import KafkaRefused, KafkaUnreachable
from streaming.lag import lag

SOURCES = {"ingest": MARKETING_EVENTS, "scoring": LEADS_EVENTS, "routing": LEADS_SCORED}


def of_all_stages(settings: Settings, patience: float = 10.0) -> list[dict[str, Any]]:
    """`{stage, topic, partition, committed, end, records}` of every source partition."""
    address = kafka_address(settings)
    rows = []
    for stage, name in SOURCES.items():
        topic = settings.topic_prefix + name
        committed = _positions(settings, topic) if stage == "routing" else None
        try:
            found = lag(address, f"{settings.topic_prefix}baton-{stage}", [topic], committed, patience)
        except KafkaUnreachable as error:
            raise unreachable(error) from error
        except KafkaRefused as error:
            raise Refusal(str(error), "See that BATON_KAFKA is right and the broker runs") from error
        rows += [{"stage": stage} | asdict(one) for one in found]
    return rows


def _positions(settings: Settings, topic: str) -> dict[tuple[str, int], int]:
    from sqlalchemy import select
    from sqlalchemy.exc import SQLAlchemyError

    from services.routing.ledger import connect
    from services.routing.ledger.models import Position

    engine = connect(database_url(settings), pool_size=1)
    try:
        with engine.connect() as connection:
            rows = connection.execute(select(Position.partition, Position.next).where(Position.topic == topic)).all()
    except SQLAlchemyError as error:
        raise Refusal("the ledger cannot be read", "See `baton doctor`") from error
    finally:
        engine.dispose()
    return {(topic, int(partition)): int(next_) for partition, next_ in rows}
