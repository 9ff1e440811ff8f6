"""What `routing.yaml` and `roster.yaml` may say, key by key."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from rules.durations import Duration

Name = Annotated[str, Field(min_length=1, max_length=100)]
Method = Literal["weighted_round_robin", "least_loaded", "best_fit", "direct"]


class _Keys(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class SuppressKeys(_Keys):
    """Leads that nobody gets."""

    when: dict[str, Any]
    reason: Name = Field(description="In words, for those who ask where the lead is")


class PoolKeys(_Keys):
    """Who may get the leads of a queue: a team or named reps, and the skills that each of them needs."""

    team: Name | None = None
    reps: list[Name] | None = None
    skills: list[Name] = Field(default_factory=list)


class OfferKeys(_Keys):
    """How long a rep has to accept, in business time, and what follows."""

    within: Duration = Field(description="Business time to accept in, such as 15m")
    tries: int = Field(default=3, ge=1, le=100)
    then: Literal["manager", "wait"] = "manager"


class OverflowKeys(_Keys):
    """Where a lead goes that has waited for too long."""

    after: Duration = Field(description="Time of waiting, such as 4h")
    to: Name = Field(description="Another queue")


class QueueKeys(_Keys):
    """A queue: a topic, and the people behind it."""

    id: Name
    pool: PoolKeys
    distribute: Method = "weighted_round_robin"
    offer: OfferKeys | None = None
    overflow: OverflowKeys | None = None
    manager: Name | None = None


class RuleKeys(_Keys):
    """Which leads go to which queue."""

    id: Name
    when: dict[str, Any] | None = None
    otherwise: Literal[True] | None = None
    queue: Name
    priority: Literal["high", "normal", "low"] = "normal"


class RoutingKeys(_Keys):
    """`routing.yaml`."""

    version: Literal[1] = 1
    suppress: list[SuppressKeys] = Field(default_factory=list)
    queues: list[QueueKeys]
    rules: list[RuleKeys]


class CalendarKeys(_Keys):
    """Working hours of a place."""

    zone: Name = Field(description="A zone of the tz database, such as Europe/Berlin")
    hours: dict[str, str] = Field(description="mon-fri: '09:00-17:30'")
    holidays: Name | None = None


class RepKeys(_Keys):
    """One person of sales."""

    id: Name
    name: str = Field(default="", max_length=200)
    email: str | None = Field(default=None, max_length=320)
    team: Name
    weight: int = 1
    capacity: int | None = Field(default=None, ge=0)
    daily_cap: int | None = Field(default=None, ge=0)
    calendar: Name | None = None
    skills: list[Name] = Field(default_factory=list)


class RosterKeys(_Keys):
    """`roster.yaml`."""

    version: Literal[1] = 1
    calendars: dict[str, CalendarKeys] = Field(default_factory=dict)
    reps: list[RepKeys]
