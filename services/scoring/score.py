"""What a lead is worth after one more event. Pure: no I/O, no clock, no chance."""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from services.scoring.event import Event, written
from services.scoring.lifecycle import Move, moved
from services.scoring.lines import Account, account, engagement_lines
from services.scoring.profile import EMPTY, Profile, absorbed, counts, has_seen
from services.scoring.rulebook import Ruleset
from services.scoring.scored import Change, Scored
from services.scoring.signals import fingerprint
from services.scoring.vocabulary import View
from services.scoring.who import Who, tells_of, who_is

_SECOND: Final = 1_000_000


class Lead(NamedTuple):
    """A lead as far as it is known. `who` follows from `profile`; None where nobody has looked yet."""

    profile: Profile
    who: Who | None = None


class Standing(NamedTuple):
    """How a lead stands at a time: what conditions see, and the accounts of the two scores."""

    view: View
    fit: Account
    engagement: Account
    segments: list[str]


NOBODY: Final = Lead(EMPTY)
"""A lead that nobody has heard of."""


def score(lead: Lead, event: Event, ruleset: Ruleset) -> tuple[Lead, Scored] | None:
    """The lead with `event` in its profile, and what it is worth then. None: the event is known and changes nothing."""
    before, mark = lead.profile, fingerprint(event.id)
    if has_seen(before, mark):
        return None
    after = absorbed(before, event, mark, _matched(event, ruleset) if counts(before, event) else ())
    if after == before:
        return None
    who = lead.who
    if who is None or tells_of(event, who) or after.verdicts != before.verdicts or after.cleared != before.cleared:
        who = who_is(after, ruleset, who)
    now = standing(after, who, ruleset, after.as_of)
    now.view.event = event.json

    def view_at(moment: int) -> View:
        then = standing(after, who, ruleset, moment).view
        then.event, then.fit = event.json, now.view.fit
        return then

    move = moved(after, event, ruleset, now.view, view_at) if after.stage == "inquiry" else None
    if move is not None:
        after = msgspec.structs.replace(after, stage=move.after, since=move.since)
    return Lead(after, who), _scored(after, event, ruleset, who, now, move)


def standing(profile: Profile, who: Who, ruleset: Ruleset, at: int) -> Standing:
    """How the lead stands at `at` (microseconds since the epoch)."""
    now = at / _SECOND
    view = who.view()
    view.stage = profile.stage
    fit = who.fit or ruleset.fit_table.account(view, now)
    lines = engagement_lines(profile.signals, ruleset.of_signals(tuple(profile.signals)), at)
    engagement = account("engagement", lines, ruleset.engagement_groups, ruleset.engagement_max)
    view.fit, view.engagement = fit.score, engagement.score
    view.grade = ruleset.grade(fit.score, engagement.score)
    view.segments = segments = [name for name, holds in who.segments if holds is None or holds(view, now)]
    return Standing(view, fit, engagement, segments)


def _matched(event: Event, ruleset: Ruleset) -> tuple[str, ...]:
    table = ruleset.by_type.get(event.type)
    return table.matched(View(event.json), event.at / _SECOND) if table is not None else ()


def _scored(profile: Profile, event: Event, ruleset: Ruleset, who: Who, now: Standing, move: Move | None) -> Scored:
    view, fit, engagement = now.view, now.fit.lines, now.engagement.lines
    return Scored(
        lead_id=event.lead_id,
        event_id=event.id,
        fit=view.fit,
        engagement=view.engagement,
        grade=view.grade,
        stage=profile.stage,
        transition=Change(move.before, move.after, move.reason) if move else msgspec.UNSET,
        segments=now.segments,
        explanation=msgspec.Raw(b"[%b%b%b]" % (fit, b"," if fit and engagement else b"", engagement)),
        person=who.person_json,
        campaign=who.campaign_json,
        consent=who.consent_json,
        quality=who.quality,
        rules_hash=ruleset.rules_hash,
        as_of=written(profile.as_of),
    )
