"""What commands print: JSON where asked for, tables for people, colour only on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def print_json(value: Any) -> None:
    """One JSON document, indented, on standard output."""
    import orjson

    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2, default=str).decode())


def console() -> Console:
    """Standard output for people."""
    from rich.console import Console

    return Console(highlight=False)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """A table; where nobody looks on, one line a row with tabs between, so that other programs can read it."""
    out = console()
    if not out.is_terminal:
        for row in rows:
            typer.echo("\t".join("" if cell is None else str(cell) for cell in row))
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    out.print(table)


def plain(text: str, keep: str = "") -> str:
    """Text for a terminal: what would move its cursor or change its colours is spelled out."""
    return "".join(one if one.isprintable() or one in keep else repr(one)[1:-1] for one in text)
