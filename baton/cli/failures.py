"""`baton failed list|show`; `replay` and `export` stand in `baton.cli.replaying` and `baton.cli.exporting`."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from baton.cli import exporting, replaying
from baton.cli.answers import Json, console, plain, print_json, print_table
from baton.cli.selecting import Reason, Since, Stage, Until, selected, settings_of_what_is_up, why_nothing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from baton.failed import FailedRecord
    from baton.failures import Summary
    from baton.replays import Replays

ON_TERMINAL = 50
"""So many records are listed on a terminal where nobody says how many."""
DETAIL = 60
"""So many characters of what was wrong stand in a row on a terminal; `show` has the whole."""
Limit = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=0,
        help=f"The latest N of them; 0: all. By default {ON_TERMINAL} on a terminal; all elsewhere, and with --json.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    group = typer.Typer(help="Records that a stage could not process.", no_args_is_help=True, rich_markup_mode=None)
    group.command("list")(list_)
    group.command("show")(show)
    group.command("replay")(replaying.replay)
    group.command("export")(exporting.export)
    app.add_typer(group, name="failed")


def list_(
    *,
    stage: Stage = None,
    reason: Reason = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = None,
    as_json: Json = False,
) -> None:
    """Failed records with their reasons, how many there are of each, and which were replayed."""
    from baton import failed, replays
    from baton.failures import Summary, row

    selection = selected(stage, reason, since, until)
    settings = settings_of_what_is_up()
    known = replays.known(settings)
    found = failed.records(settings, selection)
    on_terminal = console().is_terminal and not as_json
    most = (ON_TERMINAL if on_terminal else 0) if limit is None else limit
    as_they_come = not on_terminal and not most
    summary = Summary(known, 1 if as_they_come else most)
    shown = _as_they_come(found, summary) if as_they_come else _latest(found, summary)
    if as_json:
        _print_array(row(one, known) for one in shown)
        return
    columns = ("id", "reason", "detail", "failed_at", "replayed", "topic", "partition", "offset")
    print_table(columns, (_cells(one, known, columns, DETAIL if on_terminal else None) for one in shown))
    _print_counts(summary, most, partial(why_nothing, settings, selection))


def _as_they_come(found: Iterable[FailedRecord], summary: Summary) -> Iterator[FailedRecord]:
    for one in found:
        summary.take(one)
        yield one


def _latest(found: Iterable[FailedRecord], summary: Summary) -> Iterator[FailedRecord]:
    for one in found:
        summary.take(one)
    yield from summary.latest()


def _print_counts(summary: Summary, most: int, nothing: Callable[[], str]) -> None:
    """Beside the table on a terminal, else on standard error: there rows are for programs."""
    say = partial(typer.echo, err=not console().is_terminal)
    if not summary.records:
        say(nothing())
    if most and most < summary.records:
        say(f"the latest {most:,} of {summary.records:,}")
    for count in summary.counts():
        replayed = f", {count.replayed:,} replayed" if count.replayed else ""
        say(f"{count.records:,} × {count.stage} {plain(count.reason)}, {count.first} to {count.last}{replayed}")


def show(
    name: Annotated[str, typer.Argument(metavar="ID", help="From `baton failed list`.")],
    *,
    value: Annotated[bool, typer.Option("--value", help="The original value alone, byte by byte.")] = False,
    as_json: Json = False,
) -> None:
    """One failed record: why it failed, and its original bytes."""
    from baton import failed, replays
    from baton.failures import row
    from baton.kept import Kept
    from baton.refusal import Refusal

    if value and as_json:
        raise Refusal("--value gives bytes, and --json a document", "Give one of them")
    settings = settings_of_what_is_up()
    with Kept(settings) as kept:
        one = kept.whole(failed.find(settings, name))
    if value:
        sys.stdout.buffer.write(one.value or b"")
        sys.stdout.buffer.flush()
        return
    shown = row(one, replays.known(settings))
    if as_json:
        print_json(one.document() | shown)
        return
    for title, word in shown.items():
        if word is not None:
            typer.echo(f"{title}: {plain(str(word))}")
    for title, said in one.headers:
        typer.echo(f"header {plain(title)}: {readable(said)}")
    if one.trace:
        typer.echo(f"\n{plain(one.trace.rstrip(), keep=chr(10))}")
    typer.echo(f"\nkey: {readable(one.key)}")
    typer.echo("value:" if one.value is not None else "value: none")
    if one.value is not None:
        typer.echo(readable(one.value, keep="\n\t"))


def readable(data: bytes | None, keep: str = "") -> str:
    """Bytes for a terminal; those that are no UTF-8 in hexadecimal."""
    return "none" if data is None else plain(data.decode(errors="backslashreplace"), keep)


def _cells(one: FailedRecord, known: Replays, columns: Iterable[str], most: int | None) -> list[str]:
    """`most`: characters of the detail."""
    from baton.failures import row

    shown = row(one, known)
    shown["replayed"] = f"{shown['replayed']} ×, {shown['replayed_at']}" if shown["replayed"] else ""
    if most is not None and len(shown["detail"]) > most:
        shown["detail"] = shown["detail"][: most - 1].rstrip() + "…"
    return [plain(str(shown[column])) for column in columns]


def _print_array(rows: Iterator[dict[str, Any]]) -> None:
    """A JSON array, row by row as they come."""
    import orjson

    before = "["
    for row in rows:
        typer.echo(f"{before}\n  {orjson.dumps(row).decode()}", nl=False)
        before = ","
    typer.echo("[]" if before == "[" else "\n]")
