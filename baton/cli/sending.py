"""`baton send`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from baton.cli.answers import Json, print_json

if TYPE_CHECKING:
    from baton.send import Sent


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("send")(send)


def send(
    file: Annotated[str, typer.Argument(help="JSON Lines, one event a line; - reads standard input.")],
    *,
    url: Annotated[str | None, typer.Option(help="The collector; by default the one of `baton up`.")] = None,
    token: Annotated[str | None, typer.Option(envvar="BATON_TOKEN", help="Bearer token of the source.")] = None,
    as_json: Json = False,
) -> None:
    """Send a file of events through the collector. Sent again, it changes nothing."""
    import httpx

    from baton import send as sending
    from baton.refusal import NO

    headers = {"authorization": f"Bearer {token}"} if token else {}
    collector = sending.address(_collector() if url is None else url)
    with (
        _opened(file) as (lines, size),
        httpx.Client(base_url=collector, headers=headers, timeout=60) as client,
    ):
        sent = _with_progress(lines, size, client) if sys.stderr.isatty() else sending.send(lines, client)
    if as_json:
        refused = [{"line": bad.line, "reason": bad.reason} for bad in sent.refused]
        print_json({"accepted": sent.accepted, "refused": refused})
    else:
        for bad in sent.refused:
            typer.echo(f"line {bad.line}: {bad.reason}", err=True)
        typer.echo(f"{sent.accepted:,} accepted, {len(sent.refused):,} refused")
    if sent.refused:
        raise typer.Exit(NO)


def _collector() -> str:
    from baton.settings import Settings
    from baton.up import state
    from streaming import hosts

    settings = Settings()
    running = state.find(settings.data_dir)
    return running.collector if running else hosts.url(settings.host, settings.collector_port)


@contextmanager
def _opened(file: str) -> Iterator[tuple[BinaryIO, int | None]]:
    """The file's lines, and its size in bytes where it is known."""
    from baton.refusal import Refusal

    if file == "-":
        yield sys.stdin.buffer, None
        return
    path = Path(file)
    try:
        opened = path.open("rb")
    except OSError as error:
        mend = "Give a file of JSON Lines, or - for standard input"
        raise Refusal(f"cannot read {file}: {error.strerror}", mend) from error
    with opened:
        yield opened, path.stat().st_size


def _with_progress(lines: Iterable[bytes], size: int | None, client: object) -> Sent:
    """Send with a bar on the terminal, by bytes read."""
    import httpx
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from baton import send as sending

    assert isinstance(client, httpx.Client)
    columns = (TextColumn("sending"), BarColumn(), TextColumn("{task.fields[events]:,} events"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("sending", total=size, events=0)
        done = 0

        def read() -> Iterator[bytes]:
            for line in lines:
                bar.advance(task, len(line))
                yield line

        def told(count: int) -> None:
            nonlocal done
            done += count
            bar.update(task, events=done)

        return sending.send(read(), client, progress=told)
