"""`baton up` and `baton status`."""

from __future__ import annotations

from typing import Annotated

import typer

from baton.cli.answers import Json, plain, print_json, print_table


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command("up")(up)
    app.command("status")(status)


def up(
    *,
    demo: Annotated[bool, typer.Option("--demo", help="Send the traffic of a small world.")] = False,
    as_json: Json = False,
    workers: Annotated[str, typer.Option(help="Workers a stage: ingest=1,scoring=1,routing=1.")] = "",
    demo_rate: Annotated[float, typer.Option(help="Events a second of the demo.", min=0.1, max=200)] = 20.0,
    demo_people: Annotated[int, typer.Option(help="People of the demo until it is quiet.", min=1)] = 3_000,
) -> None:
    """Run everything on this machine; servers that are not given are started too. Ctrl-C stops all."""
    from baton.settings import Settings
    from baton.up import plan, run
    from baton.up.presenters import presenter

    options = run.Options(plan.parse_workers(workers), plan.Demo(demo_rate, demo_people) if demo else None)
    raise typer.Exit(run.up(Settings(), options, presenter(as_json=as_json)))


def status(*, as_json: Json = False) -> None:
    """What runs, with lag and rates, and who is not ready for what reason. Exits 1 when nothing runs."""
    from baton import status as looking
    from baton.settings import Settings
    from baton.up.breakers import mend

    found = looking.look(Settings())
    if as_json:
        print_json(found.document())
        return
    typer.echo(f"up: process {found.running.pid}, data in {found.running.data_dir}")
    typer.echo(f"collector {found.running.collector}, sales {found.running.sales}, kafka {found.running.kafka}")
    columns = ("stage", "ready", "records", "a second", "lag", "failed", "processes")
    print_table(columns, found.rows())
    for name, why in found.why.items():
        typer.echo(f"{name} is not ready: {plain(why)}")
    for stage in found.stopped:
        typer.echo(mend(stage))
