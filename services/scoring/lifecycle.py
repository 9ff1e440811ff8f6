"""The stages of a lead, and when it moves from one to the next.

Here a lead moves from `inquiry` to `mql`, once: at the first event at which `qualify.mql` holds, or with a hand-raise.
A late event is also looked at where it belongs: at its own time, and at the next signals after it, so that what arrives
out of order does not lose a qualification that it would have got in order. Who the person is counts as known now.
What sales says does not come here: a lead that it has recycled does not qualify anew, nor is `recycle.cool_down` used.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from services.scoring.event import Event
from services.scoring.profile import Profile
from services.scoring.rulebook import Ruleset
from services.scoring.signals import times
from services.scoring.vocabulary import View

MOST_MOMENTS: Final = 50
"""At so many moments after a late event, at most, the lead is looked at again."""

_SECOND: Final = 1_000_000
_SCORES: Final = frozenset({"fit", "engagement", "grade", "conversion_probability"})

ViewAt = Callable[[int], View]


class Move(NamedTuple):
    """A change of stage: `since` when (microseconds since the epoch), and why in words."""

    before: str
    after: str
    since: int
    reason: str


def moved(profile: Profile, event: Event, ruleset: Ruleset, view: View, view_at: ViewAt) -> Move | None:
    """The move that `event` brings a lead, or None.

    `profile` has the event in it; `view` is how the lead stands now, `view_at` how it stood at a time.
    """
    if profile.stage != "inquiry":
        return None
    if event.type in ruleset.hand_raise:
        return Move("inquiry", "mql", event.at, f"raised a hand: {event.type}")
    if ruleset.mql_holds is None:
        return None
    if ruleset.mql_holds(view, profile.as_of / _SECOND):
        return Move("inquiry", "mql", profile.as_of, why(ruleset, view, profile.as_of))
    for moment in moments(profile, event) if event.at < profile.as_of else ():
        then = view_at(moment)
        if ruleset.mql_holds(then, moment / _SECOND):
            return Move("inquiry", "mql", moment, why(ruleset, then, moment))
    return None


def moments(profile: Profile, event: Event) -> list[int]:
    """The time of a late event and those of the signals after it, up to now: engagement only rises at these."""
    later = {at for packed in profile.signals.values() for at in times(packed) if event.at < at < profile.as_of}
    return [event.at, *sorted(later)][:MOST_MOMENTS]


def why(ruleset: Ruleset, view: View, at: int) -> str:
    """What of `qualify.mql` held, in words, with the scores that it was held against."""
    assert ruleset.mql is not None
    held = []
    for finding in ruleset.mql.findings(view, at / _SECOND):
        if finding.held == finding.wanted:
            shown = f" ({finding.value})" if finding.field in _SCORES else ""
            held.append(("" if finding.wanted else "not: ") + finding.words + shown)
    return " and ".join(dict.fromkeys(held))
