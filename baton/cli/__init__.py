"""The command line: a file a group of commands. They import what they need when they run, so help answers at once."""

from __future__ import annotations

from typing import Annotated

import typer

from baton.cli import failures, leads, operating, provision, resuming, running, schema_files, sending, workers
from baton.cli.group import Commands

app = typer.Typer(
    cls=Commands,
    name="baton",
    help="Marketing's events in, scored people, qualified leads handed to sales.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(*, wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"baton {version('baton')}")
        raise typer.Exit


@app.callback()
def _root(
    *,
    version: Annotated[bool, typer.Option("--version", callback=lambda wanted: _version(wanted=wanted))] = False,
) -> None:
    """Marketing's events in, scored people, qualified leads handed to sales."""


for commands in (running, sending, leads, failures, resuming, operating, provision, workers, schema_files):
    commands.register(app)
