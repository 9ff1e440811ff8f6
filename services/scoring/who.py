"""Who a lead is, and all that follows from it alone.

That is fit, the segments that do not look at interest, and what of a record says so, ready to be written. Most events
change nothing of it, so it is kept from one to the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, TypeAlias

import msgspec

from services.scoring.derive import derived
from services.scoring.event import ATTRIBUTES, EXTRA, SUBJECT, Event
from services.scoring.gist import packed, unpacked
from services.scoring.layers import facts
from services.scoring.lines import Account
from services.scoring.profile import Profile, quality
from services.scoring.rule import Holds
from services.scoring.rulebook import Ruleset
from services.scoring.vocabulary import View

_KNOWN: Final = (*SUBJECT, *ATTRIBUTES)
Segments: TypeAlias = tuple[tuple[str, Holds | None], ...]
"""Those that a person is in, and those that depend on more, with the condition."""

_json = msgspec.json.Encoder().encode
_read = msgspec.json.Decoder(dict[str, Any]).decode


class Who(msgspec.Struct, frozen=True, gc=False):
    """What `profile` says of the person. `fit` is None where it has to be asked anew at each time.

    `gist` has `fit` and the JSON, packed: with `segments` and the profile, all of this can be made of it again.
    """

    facts: Mapping[str, Any]
    first: Mapping[str, Any]
    last: Mapping[str, Any]
    quality: list[str]
    person: dict[str, Any]
    consent: dict[str, bool]
    fit: Account | None
    segments: Segments
    person_json: msgspec.Raw
    campaign_json: msgspec.Raw
    consent_json: msgspec.Raw
    gist: bytes

    def view(self) -> View:
        """What conditions may see of it."""
        return View({}, self.person, self.first, self.last, self.consent, self.quality)


def tells_of(event: Event, who: Who) -> bool:
    """Whether `event` may change who the lead is: whether it says anything of them that is not known."""
    if event.campaign is not None or event.consent:
        return True
    known = who.facts
    for name, value in event.facts.items():
        if value.__class__ is not str or known.get(name) != value or name.startswith(EXTRA):
            return True
    return False


def who_is(profile: Profile, ruleset: Ruleset, before: Who | None = None) -> Who:
    """Who `profile` speaks of; `before`, what was known until now, where nothing of that has changed."""
    known, first, last, found, consent = _told(profile)
    if (
        before is not None
        and consent == before.consent
        and found == before.quality
        and _same(known, before.facts)
        and _same(first, before.first)
        and _same(last, before.last)
    ):
        return before
    person = _person(known)
    campaign = {which: touch.campaign for which, touch in (("first", profile.first), ("last", profile.last)) if touch}
    view = View({}, person, first, last, consent, found, stage=profile.stage)
    fit = None if ruleset.fit_table.timely else ruleset.fit_table.account(view, 0.0)
    if fit is not None:
        view.fit = fit.score
    person_json, campaign_json, consent_json = _json(person), _json(campaign), _json(consent)
    segments = [
        (one.id, None if one.steady else one.holds)
        for one in ruleset.segments
        if not one.steady or one.holds(view, 0.0)
    ]
    return Who(
        facts=known,
        first=first,
        last=last,
        quality=found,
        person=person,
        consent=consent,
        fit=fit,
        segments=_shared(tuple(segments)),
        person_json=msgspec.Raw(person_json),
        campaign_json=msgspec.Raw(campaign_json),
        consent_json=msgspec.Raw(consent_json),
        gist=packed(fit, person_json, campaign_json, consent_json),
    )


def recalled(profile: Profile, gist: bytes, segments: Segments) -> Who:
    """The `Who` of `profile` again, without asking the rules: `gist` and `segments` are of it."""
    known, first, last, found, consent = _told(profile)
    kept = unpacked(gist)
    return Who(
        facts=known,
        first=first,
        last=last,
        quality=found,
        person=_read(kept.person),
        consent=consent,
        fit=kept.fit,
        segments=segments,
        person_json=msgspec.Raw(kept.person),
        campaign_json=msgspec.Raw(kept.campaign),
        consent_json=msgspec.Raw(kept.consent),
        gist=gist,
    )


@lru_cache(maxsize=4_096)
def _shared(segments: Segments) -> Segments:
    """The same tuple for the same segments: there are few of them, and many leads."""
    return segments


_NOTHING: Final[Mapping[str, Any]] = {}


def _told(
    profile: Profile,
) -> tuple[Mapping[str, Any], Mapping[str, Any], Mapping[str, Any], list[str], dict[str, bool]]:
    """Facts, first and last campaign, quality, consent: what a profile says of the person as it stands."""
    return (
        facts(profile.layers),
        profile.first.campaign if profile.first else _NOTHING,
        profile.last.campaign if profile.last else _NOTHING,
        quality(profile) if profile.verdicts else [],
        {purpose: word.granted for purpose, word in profile.consent.items()},
    )


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether they are equal and written alike: 1, 1.0 and true are equal, but not the same."""
    if one is other:
        return True
    if one != other:
        return False
    for name, value in one.items():
        twin = other[name]
        if value is not twin and value.__class__ is not str and _json(value) != _json(twin):
            return False
    return True


def _person(known: Mapping[str, Any]) -> dict[str, Any]:
    person = {name: known[name] for name in _KNOWN if name in known}
    whole = len(person) == len(known)
    person |= derived(person)
    if not whole:
        person["extra"] = {name.removeprefix(EXTRA): known[name] for name in sorted(known) if name.startswith(EXTRA)}
    return person
