"""`baton collector|ingest|scoring|routing|sales`: one worker, as production runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

_HELP = {
    "collector": "The HTTP door that web forms, ad platforms and other senders come in by.",
    "ingest": "One worker of ingest: marketing.events in, leads.events out.",
    "scoring": "One worker of scoring: leads.events in, leads.scored out.",
    "routing": "One worker of routing: leads.scored in, sales queues out.",
    "sales": "The HTTP door for sales: assignments, answers, outcomes.",
}


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    for name, words in _HELP.items():
        app.command(name, help=words)(_command(name))


def _command(name: str) -> Callable[[], None]:
    def command() -> None:
        from baton import wiring
        from baton.provisioning import with_what_is_up
        from baton.settings import Settings

        raise typer.Exit(wiring.WORKERS[name](with_what_is_up(Settings())))

    return command
