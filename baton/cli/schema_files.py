"""`baton export-schemas`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("export-schemas")(export_schemas)


def export_schemas(
    directory: Annotated[Path | None, typer.Argument(help="Where to; the project's schemas/json by default.")] = None,
    *,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 when files are stale.")] = False,
) -> None:
    """Write the JSON Schema of every record."""
    from baton import schema_files
    from baton.refusal import NO, Refusal

    target = directory or schema_files.DIRECTORY
    if check:
        stale = schema_files.stale(target)
        if stale:
            raise Refusal(f"stale: {', '.join(stale)}", "Run `baton export-schemas` and commit the files", NO)
        typer.echo(f"{target}: up to date")
        return
    try:
        written = schema_files.export(target)
    except OSError as error:
        raise Refusal(f"cannot write to {target}: {error.strerror}", "Give a folder that you may write to") from error
    for path in written:
        typer.echo(str(path))
