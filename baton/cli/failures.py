"""`baton failed list|show|export`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from baton.cli.answers import Json, print_json, print_table

if TYPE_CHECKING:
    from baton.settings import Settings

Stage = Annotated[str | None, typer.Option(help="Of this stage only: ingest, scoring or routing.")]
Reason = Annotated[str | None, typer.Option(help="With this reason only, such as schema_violation.")]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    group = typer.Typer(help="Records that a stage could not process.", no_args_is_help=True, rich_markup_mode=None)
    group.command("list")(list_)
    group.command("show")(show)
    group.command("export")(export)
    app.add_typer(group, name="failed")


def _settings() -> Settings:
    from baton.provisioning import with_what_is_up
    from baton.settings import Settings

    return with_what_is_up(Settings())


def list_(*, stage: Stage = None, reason: Reason = None, as_json: Json = False) -> None:
    """Failed records with their reasons, and how many there are of each."""
    from collections import Counter

    from baton import failed

    found = list(failed.records(_settings(), stage, reason))
    if as_json:
        print_json([one.row() for one in found])
        return
    columns = ("id", "reason", "detail", "failed_at", "topic", "partition", "offset")
    print_table(columns, [[one.row()[column] for column in columns] for one in found])
    for (where, why), count in sorted(Counter((one.stage, one.reason) for one in found).items()):
        typer.echo(f"{count:,} × {where} {why}")
    if not found:
        typer.echo("nothing has failed")


def show(
    name: Annotated[str, typer.Argument(metavar="ID", help="From `baton failed list`.")], *, as_json: Json = False
) -> None:
    """One failed record: why it failed, and its original bytes."""
    from baton import failed

    one = failed.find(_settings(), name)
    if as_json:
        print_json(one.document())
        return
    for title, value in one.row().items():
        typer.echo(f"{title}: {value}")
    for title, text in one.headers.items():
        typer.echo(f"header {title}: {text}")
    if one.trace:
        typer.echo(f"\n{one.trace.rstrip()}")
    typer.echo(f"\nkey: {one.key!r}")
    typer.echo("value:")
    typer.echo((one.value or b"").decode(errors="backslashreplace"))


def export(
    file: Annotated[Path | None, typer.Argument(help="Where to; standard output by default.")] = None,
    *,
    stage: Stage = None,
    reason: Reason = None,
) -> None:
    """All of each failed record, as JSON Lines."""
    import orjson

    from baton import failed

    lines = (orjson.dumps(one.document()) + b"\n" for one in failed.records(_settings(), stage, reason))
    if file is None:
        for line in lines:
            typer.echo(line.decode(), nl=False)
        return
    count = 0
    with file.open("wb") as out:
        for line in lines:
            out.write(line)
            count += 1
    typer.echo(f"{count:,} records in {file}")
