"""Options that say which failed records are meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from baton.failed import Selection
    from baton.settings import Settings

Stage = Annotated[str | None, typer.Option(help="Of this stage only: ingest, scoring or routing.")]
Reason = Annotated[str | None, typer.Option(help="With this reason only, such as schema_violation.")]
Since = Annotated[
    str | None, typer.Option(metavar="TIME", help="That failed since then: so long ago (2h, 7d), or a date and time.")
]
Until = Annotated[str | None, typer.Option(metavar="TIME", help="That failed before then, written in the same way.")]


def selected(
    stage: str | None, reason: str | None, since: str | None, until: str | None, ids: Iterable[str] = ()
) -> Selection:
    """The records that options mean. Raises `Refusal` for a time that is none, and for a stage that is not there."""
    import time

    from baton.failed import STAGES, Selection, moment
    from baton.refusal import Refusal

    if stage is not None and stage not in STAGES:
        raise Refusal(f"--stage: there is no stage `{stage}`", f"Name one of {', '.join(STAGES)}")
    now = time.time()
    begin, end = (moment(text, now) if text else None for text in (since, until))
    return Selection(stage, reason, begin, end, frozenset(ids))


def settings_of_what_is_up() -> Settings:
    """Settings, with the servers of a running `baton up` where none are given."""
    from baton.provisioning import with_what_is_up
    from baton.settings import Settings

    return with_what_is_up(Settings())
