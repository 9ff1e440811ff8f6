"""How the page is laid out. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text


def heading(text: str) -> Text:
    """A section's title."""
    return Text(f"\n{text}", style="bold")


def table(*columns: str, numbers: Iterable[str] = ()) -> Table:
    """A table without lines; the columns in `numbers` to the right."""
    made = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        made.add_column(column, justify="right" if column in numbers else "left", overflow="fold")
    return made


def moment(value: Any) -> str:
    """A time as `2026-11-02 09:14:05`, in UTC; what is none stays as it is."""
    try:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        return str(value)
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def indented(part: RenderableType) -> Padding:
    """`part`, two columns to the right."""
    return Padding(part, (0, 0, 0, 2))
