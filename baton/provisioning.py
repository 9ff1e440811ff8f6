"""What must be there before a worker starts: topics, tables, the roster. Each may be applied as often as one likes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from baton.refusal import Refusal
from baton.settings import Settings
from schemas.topics import Topic, all_topics

if TYPE_CHECKING:
    from streaming.admin import KafkaUnreachable
    from streaming.client import KafkaAddress
    from streaming.topics import Change, TopicSpec

ENTRY_SECONDS = 3.0
"""How long a worker that starts looks whether the brokers let it in, before it waits for them as all its clients do."""


def kafka_address(settings: Settings) -> KafkaAddress:
    """The brokers. Raises `Refusal` where none are known or the setting cannot be used."""
    from streaming.client import KafkaAddress, UnusableAddress
    from streaming.entry import tls
    from streaming.faust.options import demand_way_in

    if settings.kafka is None:
        raise Refusal("no broker is given and none is up", "Start `baton up`, or set BATON_KAFKA=host:port")
    options = settings.kafka_options.get_secret_value() if settings.kafka_options else None
    try:
        address = KafkaAddress.parse(settings.kafka, options)
        tls(address)  # a file that cannot be used is said now, by its option
        if options:
            demand_way_in(address)
    except UnusableAddress as error:
        raise Refusal(f"{'BATON_KAFKA_OPTIONS' if options else 'BATON_KAFKA'}: {error}") from error
    return address


def unreachable(error: KafkaUnreachable) -> Refusal:
    """The refusal of a command that the brokers let nobody in for, or do not answer."""
    from streaming.admin import ShutOut

    if isinstance(error, ShutOut):
        return Refusal(str(error), "Such options stand in BATON_KAFKA_OPTIONS")
    return Refusal(str(error), "See that BATON_KAFKA is right and the broker runs")


def demand_entry(settings: Settings) -> KafkaAddress:
    """The brokers, where they let us in or are away; a worker waits for those. Raises `Refusal`.

    Only where there is something to be let in by: else each start would take longer for nothing.
    """
    from streaming.admin import KafkaUnreachable, ShutOut, connection

    address = kafka_address(settings)
    if address.protocol == "PLAINTEXT":
        return address
    try:
        with connection(address, ENTRY_SECONDS):
            pass
    except ShutOut as error:
        raise unreachable(error) from error
    except KafkaUnreachable:
        pass
    return address


def database_url(settings: Settings) -> str:
    """The URL of the ledger. Raises `Refusal` where none is known."""
    url = settings.sqlalchemy_url
    if url is None:
        mend = "Start `baton up`, or set BATON_DATABASE_URL=postgresql://user:password@host/database"
        raise Refusal("no database is given and none is up", mend)
    return url


def with_what_is_up(settings: Settings) -> Settings:
    """Settings, with the servers of a running `baton up` on the same data folder where none are given."""
    from baton.up import state

    running = state.find(settings.data_dir)
    if running is None:
        return settings
    found = {
        "kafka": settings.kafka or running.kafka,
        "database_url": settings.database_url or running.database_url,
        "topic_prefix": settings.topic_prefix or running.topic_prefix,
    }
    return settings.model_copy(update=found)


def topic_specs(settings: Settings, queues: list[str]) -> list[TopicSpec]:
    """Every topic of this installation."""
    return [_spec(topic, settings) for topic in all_topics(queues)]


def apply_topics(settings: Settings, queues: list[str], patience: float = 30.0) -> list[Change]:
    """Create what is missing, change what differs; returns what was done."""
    from streaming import topics
    from streaming.admin import KafkaRefused, KafkaUnreachable

    address = kafka_address(settings)
    try:
        return topics.apply(address, topic_specs(settings, queues), patience)
    except KafkaUnreachable as error:
        raise unreachable(error) from error
    except KafkaRefused as error:
        raise Refusal(f"the brokers refuse: {error}") from error


def demand_tables(settings: Settings) -> str:
    """The database's URL. Raises `Refusal` where its tables are of an older version."""
    from services.routing import ledger

    url = database_url(settings)
    found = ledger.behind(url)
    if found is not None:
        what = f"of version {found}, older than this one" if found else "not there"
        raise Refusal(f"the ledger's tables are {what}", "Run `baton db upgrade`")
    return url


def upgrade_database(settings: Settings) -> None:
    """Bring the ledger's tables to this version."""
    from sqlalchemy.exc import OperationalError

    from services.routing import ledger

    try:
        ledger.upgrade(database_url(settings))
    except OperationalError as error:
        reason = str(error.orig).strip().splitlines()[0] if error.orig else "it does not answer"
        raise Refusal(f"the database cannot be used: {reason}", "See that BATON_DATABASE_URL is right") from error


def queues_of(directory: Path) -> list[str]:
    """Ids of the queues in the configuration."""
    from baton import configuration

    return list(configuration.plan(directory).queues)


def _spec(topic: Topic, settings: Settings) -> TopicSpec:
    from streaming.topics import MIN_INSYNC, TopicSpec

    config: dict[str, str] = {"cleanup.policy": topic.cleanup}
    if topic.retention_ms is not None:
        config["retention.ms"] = str(topic.retention_ms)
    if topic.max_record_bytes is not None:
        config["max.message.bytes"] = str(topic.max_record_bytes)
    if settings.least_copies is not None:
        config[MIN_INSYNC] = str(settings.least_copies)
    return TopicSpec(settings.topic_prefix + topic.name, settings.partitions, config, settings.replication)


def apply_roster(settings: Settings) -> dict[str, object]:
    """Take roster.yaml over into the ledger; how many reps it has, and its hash."""
    from time import time

    from baton import configuration
    from services.routing.ledger import Ledger
    from services.routing.ledger.rosters import apply_roster as take_over
    from streaming.stage import TransientError

    roster = configuration.plan(settings.config_dir).roster
    ledger = Ledger.at(database_url(settings), pool_size=1)
    try:
        new = take_over(ledger, roster, time())
    except TransientError as error:
        reason = str(error).strip().splitlines()[0]
        raise Refusal(f"the ledger is away: {reason}", "See `baton doctor`") from error
    finally:
        ledger.close()
    return {"reps": len(roster.reps), "roster_hash": roster.hash, "new": new}
