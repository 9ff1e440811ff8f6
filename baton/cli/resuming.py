"""`baton resume`: a stage that its breaker stopped goes on by an operator's word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from baton.cli.answers import Json, print_json

if TYPE_CHECKING:
    from baton.resume import Told


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("resume")(resume)


def resume(
    stage: Annotated[str, typer.Argument(help="ingest, scoring or routing.")],
    *,
    let_fail: Annotated[
        int, typer.Option(metavar="N", min=0, help="Let up to N more records fail before failures count again.")
    ] = 0,
    url: Annotated[
        list[str] | None, typer.Option(help="A worker's address, as of its /readyz; by default all of `baton up`.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Let a stage go on that stopped because too many of its records failed.

    Without --let-fail it stops again if the next records fail as well; with it, up to N of them go to the failed topic.
    """
    from dataclasses import asdict

    from baton import resume as resuming
    from baton.refusal import NO
    from baton.settings import Settings

    told = resuming.resume(Settings(), stage, let_fail, url or ())
    if as_json:
        print_json([asdict(one) for one in told])
    else:
        for one in told:
            typer.echo(f"{one.worker}: {_words(one)}")
    if any(one.still for one in told):
        if not as_json:
            typer.echo(_mend(stage, let_fail), err=True)
        raise typer.Exit(NO)


def _mend(stage: str, let_fail: int) -> str:
    if not let_fail:
        return f"To let them fail: baton resume {stage} --let-fail N"
    return (
        f"More than {let_fail} fail. Those that did are in {stage}.failed: see `baton failed list`. "
        f"To let more of them fail: baton resume {stage} --let-fail N"
    )


def _words(one: Told) -> str:
    if not one.stood_still:
        return "goes on already, its breaker is closed"
    return f"stopped again: {one.still}" if one.still else f"goes on; it had stopped: {one.stood_still}"
