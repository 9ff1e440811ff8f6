"""Every setting: an environment variable, read once. `baton check` shows each with its value, source and meaning."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "BATON_"

_UNITS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PASSWORD = re.compile(r"(?P<before>://[^:/@\s]*:)\S+(?=@)")
_DRIVERS = frozenset({"postgresql", "postgres", "postgresql+psycopg"})


def seconds(value: Any) -> Any:
    """Seconds of `60`, `60s`, `5m`; what is no such text is left for pydantic to refuse."""
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|)\s*", value)
    return float(match[1]) * _UNITS[match[2]] if match else value


def _any_case(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


Seconds = Annotated[float, BeforeValidator(seconds), Field(ge=0, allow_inf_nan=False)]
Port = Annotated[int, Field(ge=0, le=65535)]


class Settings(BaseSettings):
    """How this installation runs. Frozen: who needs it otherwise makes a copy."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True)

    kafka: str | None = Field(
        default=None, description="Bootstrap servers of Kafka, comma-separated; unset: `baton up` starts a broker."
    )
    kafka_options: SecretStr | None = Field(
        default=None, description="Options of Kafka's clients in librdkafka's names, a JSON object: TLS, SASL."
    )
    database_url: str | None = Field(
        default=None, description="SQLAlchemy URL of PostgreSQL; unset: `baton up` starts a server."
    )
    data_dir: Path = Field(
        default=Path(".baton"), description="Data of the embedded servers, local state, spool and logs."
    )
    config_dir: Path = Field(
        default=Path("config"), description="Folder of sources.yaml, scoring.yaml, routing.yaml and roster.yaml."
    )
    topic_prefix: str = Field(
        default="", pattern=r"^[A-Za-z0-9._-]*$", description="Put before every topic and consumer group."
    )
    host: str = Field(default="127.0.0.1", description="Address that the doors listen on.")
    collector_port: Port = Field(default=8080, description="Port of the collector; 0 takes a free one.")
    sales_port: Port = Field(default=8081, description="Port of the sales API; 0 takes a free one.")
    metrics_port: Port = Field(
        default=9100, description="First port of the workers' metrics and health; 0 takes free ones."
    )
    breaker_consecutive: int = Field(
        default=100, ge=1, description="A stage stops when so many records in a row have failed."
    )
    breaker_share: float = Field(
        default=0.5,
        gt=0,
        le=1,
        allow_inf_nan=False,
        description="A stage stops when this share of its last 1,000 records has failed.",
    )
    breaker_resume: Seconds = Field(
        default=60.0, description="Seconds until a stopped stage tries again; 0: only by hand."
    )
    local_state: Seconds = Field(
        default=300.0,
        description="Seconds between two writings of a stage's state to the data folder, for quick restarts; 0: never.",
    )
    outbox_most: int = Field(
        default=100_000,
        ge=1,
        description="Routing takes no more leads while more records than these wait in the ledger to be published.",
    )
    partitions: int = Field(default=8, ge=1, le=10_000, description="Partitions of a topic that is newly created.")
    replication: int = Field(
        default=-1, ge=-1, description="Replicas of a topic that is newly created; -1: as the broker has it by default."
    )
    min_insync: int | None = Field(
        default=None,
        ge=1,
        description="Replicas that must have a record before it counts; unset: 2 where BATON_REPLICATION is 3 or more, "
        "else as the broker has it.",
    )
    instance: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9._-]+$",
        description="Name of this worker that outlives it and that no other living worker has; unset: made up.",
    )
    static_instance: bool = Field(
        default=False, description="Whether `BATON_INSTANCE` is the worker's static member id in its group, too."
    )
    fetch_rest: Seconds = Field(
        default=0.0,
        description="Seconds that an idle stage fetches nothing, for brokers that hold no fetch; 0: it always fetches.",
    )
    log_format: Annotated[Literal["auto", "json", "console"], BeforeValidator(_any_case)] = Field(
        default="auto", description="How logs are written; auto: for people on a terminal, else JSON lines."
    )
    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_any_case)] = Field(
        default="info", description="What is logged."
    )

    @field_validator("kafka")
    @classmethod
    def _brokers(cls, value: str | None) -> str | None:
        from streaming.client import KafkaAddress

        if value is not None:
            KafkaAddress.parse(value)
        return value

    @field_validator("kafka_options")
    @classmethod
    def _options(cls, value: SecretStr | None) -> SecretStr | None:
        from streaming.client import KafkaAddress

        if value is not None:
            from streaming.faust.options import demand_options

            address = KafkaAddress.parse("localhost", value.get_secret_value())
            address.kafka_python_config()  # each client knows them
            demand_options(address.options)
        return value

    @field_validator("replication")
    @classmethod
    def _some(cls, value: int) -> int:
        if value == 0:
            raise ValueError("0 replicas hold nothing. Write 1 or more, or -1 for as many as the broker has by default")
        return value

    @field_validator("min_insync")
    @classmethod
    def _of_the_replicas(cls, value: int | None, info: ValidationInfo) -> int | None:
        replication = info.data.get("replication", -1)
        if value is not None and value > replication > 0:
            raise ValueError(
                f"{value} replicas of {replication} could never have a record, and nothing could be written. "
                "Set it to BATON_REPLICATION at most"
            )
        return value

    @property
    def least_copies(self) -> int | None:
        """`min.insync.replicas` of our topics; None leaves it to the brokers, whose own default is 1.

        With that a record may count that only its leader has, and be lost with it, whatever the replication.
        """
        return 2 if self.min_insync is None and self.replication > 2 else self.min_insync

    @field_validator("database_url")
    @classmethod
    def _postgresql(cls, value: str | None) -> str | None:
        if value is not None:
            _check_database_url(value)
        return value

    @property
    def sqlalchemy_url(self) -> str | None:
        """`database_url` with the driver that Baton ships with, where the URL names none."""
        url = self.database_url
        if url is None:
            return None
        for bare in ("postgresql://", "postgres://"):
            if url.startswith(bare):
                return "postgresql+psycopg://" + url[len(bare) :]
        return url


def _check_database_url(url: str) -> None:
    """Raises `ValueError` for what is no URL of PostgreSQL, without repeating it."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    mend = "Write postgresql://user:password@host:5432/database"
    try:
        driver = make_url(url).drivername
    except (ArgumentError, ValueError):
        raise ValueError(f"is no URL, or its port is no number. {mend}") from None
    if driver not in _DRIVERS:
        raise ValueError(f"is of {driver}, the ledger needs PostgreSQL by psycopg. {mend}")


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as `baton check` shows it; passwords in it are masked."""

    name: str
    value: str
    source: Literal["environment", "default"]
    meaning: str


def masked(text: str) -> str:
    """`text` without the passwords of the URLs in it."""
    return _PASSWORD.sub(r"\g<before>***", text)


def variable(field: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + field.upper()


def describe(settings: Settings, environment: Mapping[str, str] | None = None) -> list[Setting]:
    """Every setting with value, source and meaning, in the order in which they are declared."""
    environ = os.environ if environment is None else environment
    given = {name.upper() for name, value in environ.items() if value}
    rows = []
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        rows.append(
            Setting(
                variable(name),
                "" if value is None else masked(str(value)),
                "environment" if variable(name) in given else "default",
                field.description or "",
            )
        )
    return rows
