"""Options that say which failed records are meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from baton.cli.answers import plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from baton.failed import Selection
    from baton.settings import Settings

REASONS_SHOWN = 20

Stage = Annotated[str | None, typer.Option(help="Of this stage only: ingest, scoring or routing.")]
Reason = Annotated[str | None, typer.Option(help="With this reason only, such as schema_violation.")]
Since = Annotated[
    str | None, typer.Option(metavar="TIME", help="That failed since then: so long ago (2h, 7d), or a date and time.")
]
Until = Annotated[str | None, typer.Option(metavar="TIME", help="That failed before then, written in the same way.")]


def selected(
    stage: str | None, reason: str | None, since: str | None, until: str | None, ids: Iterable[str] = ()
) -> Selection:
    """The records that options mean.

    Raises `Refusal` for an option without a value, a time that is none or a span that is none, and for a stage that is
    not there: left out, each would mean more records than were meant.
    """
    import time

    from baton.failed import STAGES, Selection
    from baton.refusal import Refusal

    for name, given in (("--stage", stage), ("--reason", reason), ("--since", since), ("--until", until)):
        if given is not None and not given.strip():
            raise Refusal(f"{name} is empty", "Give it a value, or leave it out")
    if stage is not None and stage not in STAGES:
        raise Refusal(f"--stage: there is no stage `{stage}`", f"Name one of {', '.join(STAGES)}")
    now = time.time()
    begin, end = _moment("--since", since, now), _moment("--until", until, now)
    if begin is not None and end is not None and begin >= end:
        raise Refusal(f"--since {since} is not before --until {until}", "Give an earlier --since, or a later --until")
    return Selection(stage, reason, begin, end, frozenset(ids))


def _moment(name: str, text: str | None, now: float) -> float | None:
    from baton.failed import moment
    from baton.refusal import Refusal

    try:
        return None if text is None else moment(text, now)
    except Refusal as why:
        raise Refusal(f"{name}: {why.message}", why.mend) from why


def why_nothing(settings: Settings, selection: Selection) -> str:
    """What to say where a selection holds nothing: that nothing has failed, or that nothing fits."""
    from collections import Counter

    from baton import failed

    reasons = Counter(one.reason for one in failed.records(settings))
    if not reasons:
        return "nothing has failed"
    words = f"none of the {reasons.total():,} fits" if reasons.total() > 1 else "the only one there is does not fit"
    if selection.reason is None or selection.reason in reasons:
        return words
    some = ", ".join(plain(reason) or "none" for reason, _ in reasons.most_common(REASONS_SHOWN))
    more = ", …" if len(reasons) > REASONS_SHOWN else ""
    return f"{words}: no reason is `{plain(selection.reason)}`; there are {some}{more}"


def settings_of_what_is_up() -> Settings:
    """Settings, with the servers of a running `baton up` where none are given."""
    from baton.provisioning import with_what_is_up
    from baton.settings import Settings

    return with_what_is_up(Settings())
