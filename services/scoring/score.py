"""What a lead is worth after one more event. Pure: no I/O, no clock, no chance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from schemas.record import SCHEMA_VERSION
from services.scoring.derive import derived
from services.scoring.event import ATTRIBUTES, EPOCH, EXTRA, SUBJECT, Event
from services.scoring.layers import facts
from services.scoring.lifecycle import Move, moved
from services.scoring.lines import Account, Entry, account, engagement_lines
from services.scoring.profile import EMPTY, Profile, absorbed, counts, has_seen, quality
from services.scoring.rulebook import Ruleset
from services.scoring.vocabulary import View

_KNOWN: Final = (*SUBJECT, *ATTRIBUTES)
_SECOND: Final = 1_000_000


class Change(msgspec.Struct, frozen=True, gc=False):
    """A change of stage, as `schemas.Transition` has it."""

    from_: str = msgspec.field(name="from")
    to: str
    reason: str


class Scored(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A `schemas.ScoredLead`, as fast to write as can be. What is unset is left out of the JSON."""

    schema_version: int = SCHEMA_VERSION
    lead_id: str
    event_id: str
    fit: float
    engagement: float
    grade: str
    stage: str
    transition: Change | msgspec.UnsetType = msgspec.UNSET
    segments: list[str]
    conversion_probability: float | msgspec.UnsetType = msgspec.UNSET
    explanation: list[Entry]
    person: dict[str, Any]
    campaign: dict[str, Mapping[str, Any]]
    consent: dict[str, bool]
    quality: list[str]
    rules_hash: str
    as_of: datetime

    def to_json(self) -> bytes:
        """The record's value on the wire, as the model would write it."""
        return _encoder.encode(self)


_encoder = msgspec.json.Encoder()


def score(profile: Profile | None, event: Event, ruleset: Ruleset) -> tuple[Profile, Scored] | None:
    """The profile with `event` in it, and what the lead is worth then. None: the event is known and changes nothing.

    `profile` None: a lead that nobody has heard of.
    """
    before = profile or EMPTY
    if has_seen(before, event):
        return None
    after = absorbed(before, event, _matched(event, ruleset) if counts(before, event) else ())
    if after == before:
        return None
    view, fit, engagement = standing(after, ruleset, after.as_of)
    view.event = event.json

    def view_at(moment: int) -> View:
        then, _, _ = standing(after, ruleset, moment)
        return replace(then, event=event.json, fit=view.fit)

    move = moved(after, event, ruleset, view, view_at)
    if move is not None:
        after = msgspec.structs.replace(after, stage=move.after, since=move.since)
    return after, _scored(after, event, ruleset, view, fit, engagement, move)


def standing(profile: Profile, ruleset: Ruleset, at: int) -> tuple[View, Account, Account]:
    """How the lead stands at `at` (microseconds since the epoch), and the accounts of fit and engagement."""
    now = at / _SECOND
    view = View(
        person=_person(profile),
        first=profile.first.campaign if profile.first else {},
        last=profile.last.campaign if profile.last else {},
        consent={purpose: word.granted for purpose, word in profile.consent.items()},
        quality=quality(profile),
        stage=profile.stage,
    )
    fit = ruleset.fit_account(view, now)
    lines = engagement_lines(profile.signals, at, ruleset)
    engagement = account("engagement", lines, ruleset.engagement_groups, ruleset.engagement_max)
    view.fit, view.engagement = fit.score, engagement.score
    view.grade = ruleset.grade(fit.score, engagement.score)
    view.segments = [segment.id for segment in ruleset.segments if segment.holds(view, now)]
    return view, fit, engagement


def _matched(event: Event, ruleset: Ruleset) -> list[str]:
    rules = ruleset.by_type.get(event.type)
    if not rules:
        return []
    view, now = View(event=event.json), event.at / _SECOND
    return [rule.id for rule in rules if rule.holds is None or rule.holds(view, now)]


def _person(profile: Profile) -> dict[str, Any]:
    known = facts(profile.layers)
    person = {name: known[name] for name in _KNOWN if name in known}
    whole = len(person) == len(known)
    person |= derived(person)
    if not whole:
        person["extra"] = {name.removeprefix(EXTRA): known[name] for name in sorted(known) if name.startswith(EXTRA)}
    return person


def _scored(
    profile: Profile,
    event: Event,
    ruleset: Ruleset,
    view: View,
    fit: Account,
    engagement: Account,
    move: Move | None,
) -> Scored:
    touches = (("first", profile.first), ("last", profile.last))
    return Scored(
        lead_id=event.lead_id,
        event_id=event.id,
        fit=fit.score,
        engagement=engagement.score,
        grade=view.grade,
        stage=profile.stage,
        transition=Change(move.before, move.after, move.reason) if move else msgspec.UNSET,
        segments=list(view.segments),
        explanation=[*fit.entries, *engagement.entries],
        person=dict(view.person),
        campaign={which: touch.campaign for which, touch in touches if touch},
        consent=dict(view.consent),
        quality=list(view.quality),
        rules_hash=ruleset.rules_hash,
        as_of=EPOCH + timedelta(microseconds=profile.as_of),
    )
