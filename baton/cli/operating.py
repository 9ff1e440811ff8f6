"""`baton check`, `baton doctor`, `baton lag`: whether all is as it should be."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer

from baton.cli.answers import Json, print_json, print_table


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command("check")(check)
    app.command("doctor")(doctor)
    app.command("lag")(lag)


def check(
    *,
    as_json: Json = False,
    with_settings: Annotated[
        bool, typer.Option("--settings", help="With --json: an object of faults, notices and settings.")
    ] = False,
) -> None:
    """Every fault of the configuration at once, each with file, line and mend; and every setting."""
    from dataclasses import asdict

    from baton import check as checking
    from baton.refusal import WRONG_USE

    found, settings = checking.check_all(os.environ)
    faults = [asdict(fault) for fault in found.faults]
    if as_json and with_settings:
        notices = [asdict(notice) for notice in found.notices]
        print_json({"faults": faults, "notices": notices, "settings": [asdict(row) for row in settings]})
    elif as_json:
        print_json(faults)
    else:
        rows = [(row.name, row.value, row.source, row.meaning) for row in settings]
        print_table(("setting", "value", "source", "meaning"), rows)
        typer.echo()
        for fault in found.faults:
            typer.echo(str(fault), err=True)
        for notice in found.notices:
            typer.echo(f"note: {notice}")
        typer.echo(checking.counted(len(faults)), err=bool(faults))
    if faults:
        raise typer.Exit(WRONG_USE)


def doctor(*, as_json: Json = False) -> None:
    """Look at this machine: Python, broker, database, configuration, host, ports."""
    from dataclasses import asdict

    from baton import doctor as looking
    from baton.provisioning import with_what_is_up
    from baton.refusal import NO
    from baton.settings import Settings

    settings = with_what_is_up(Settings())
    found = looking.examine(settings)
    if as_json:
        print_json([asdict(one) for one in found])
    else:
        for one in found:
            typer.echo(f"{'ok  ' if one.ok else 'no  '} {one.what}: {one.detail}")
    if not all(one.ok for one in found):
        raise typer.Exit(NO)


def lag(*, as_json: Json = False) -> None:
    """How far each stage is behind its input, by partition.

    Columns: stage, topic, partition, committed (the next offset to do), end (of the topic), records (still to be done).
    """
    from baton import lags
    from baton.provisioning import with_what_is_up
    from baton.settings import Settings

    rows: list[dict[str, Any]] = lags.of_all_stages(with_what_is_up(Settings()))
    if as_json:
        print_json(rows)
    else:
        columns = ("stage", "topic", "partition", "committed", "end", "records")
        print_table(columns, [[row[column] for column in columns] for row in rows])
        if any(row["committed"] is not None and row["end"] - row["committed"] > row["records"] for row in rows):
            note = "The offsets from committed to end hold markers of transactions, too, which are no records."
            typer.echo(note, err=True)
