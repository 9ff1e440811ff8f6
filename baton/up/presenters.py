"""Who tells of it: a live view on a terminal, plain lines elsewhere, JSON lines for programs."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Protocol

import orjson
from rich.console import Console
from rich.live import Live

from baton.up import plain, view
from baton.up.snapshot import RoutedSample, Snapshot
from baton.up.state import Running

SUMMARY_EVERY = 5.0
"""Seconds between two summaries in plain lines."""
_ABOVE = 8  # rows that are left to the lines above the view


class Presenter(Protocol):
    """Is told what happens, from one thread."""

    def step(self, text: str) -> None:
        """Something is being set up."""

    def ready(self, running: Running) -> None:
        """Everything runs."""

    def notice(self, text: str) -> None:
        """Something worth knowing happened."""

    def show(self, snapshot: Snapshot, new: Sequence[RoutedSample]) -> None:
        """How it stands now, and the leads that were routed since the last time."""

    def tips(self, lines: Sequence[str]) -> None:
        """What to try."""

    def close(self) -> None:
        """No more."""


def _write(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


class JsonPresenter:
    """One object a line; the first is `ready`."""

    def __init__(self, write: Callable[[str], None] = _write) -> None:
        self._write = write
        self._ready = False
        self._early: list[str] = []
        self._sampled: datetime | None = None

    def step(self, text: str) -> None:
        """Kept to itself: the first line is `ready`."""

    def ready(self, running: Running) -> None:
        """The addresses and process ids."""
        self._ready = True
        self._say(running.ready_event())
        for text in self._early:
            self.notice(text)

    def notice(self, text: str) -> None:
        """`{"event": "notice", "text": …}`; after `ready`, whenever it happened."""
        if self._ready:
            self._say({"event": "notice", "text": text})
        else:
            self._early.append(text)

    def show(self, snapshot: Snapshot, new: Sequence[RoutedSample]) -> None:
        """`routed` for each new lead, and a `sample` with stages and queues, once a snapshot that says something."""
        for lead in new:
            self._say(
                {
                    "event": "routed",
                    "assignment_id": lead.assignment_id,
                    "at": lead.at,
                    "queue": lead.queue,
                    "rep": lead.rep,
                    "rule": lead.rule,
                    "reason": lead.why,
                    "seconds": lead.seconds,
                }
            )
        if snapshot.stages and snapshot.at != self._sampled:
            self._sampled = snapshot.at
            self._say({"event": "sample", "at": snapshot.at, "stages": snapshot.stages, "queues": snapshot.queues})

    def tips(self, lines: Sequence[str]) -> None:
        """Nothing: programs know what to do."""

    def close(self) -> None:
        """`{"event": "stopped"}`."""
        self._say({"event": "stopped"})

    def _say(self, event: dict[str, Any]) -> None:
        self._write(orjson.dumps(event).decode())


class PlainPresenter:
    """Plain lines: each new lead, and a summary every few seconds."""

    def __init__(self, write: Callable[[str], None] = _write, clock: Callable[[], float] = time.monotonic) -> None:
        self._write, self._clock = write, clock
        self._summarised = clock()

    def step(self, text: str) -> None:
        """The line itself."""
        self._write(text)

    def ready(self, running: Running) -> None:
        """Where the doors are."""
        self._write(f"ready: collector {running.collector}, sales {running.sales}, kafka {running.kafka}")

    def notice(self, text: str) -> None:
        """The line itself."""
        self._write(text)

    def show(self, snapshot: Snapshot, new: Sequence[RoutedSample]) -> None:
        """New leads at once, the rest now and then."""
        for lead in new:
            self._write(plain.routed(lead))
        if self._clock() - self._summarised >= SUMMARY_EVERY:
            self._summarised = self._clock()
            for line in plain.summary(snapshot):
                self._write(line)

    def tips(self, lines: Sequence[str]) -> None:
        """The lines themselves."""
        for line in lines:
            self._write(line)

    def close(self) -> None:
        """A last line."""
        self._write("stopped")


class LivePresenter:
    """The view, drawn anew with each snapshot."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False, transient=False)
        self._title = ""
        self._started = False

    def step(self, text: str) -> None:
        """A dim line."""
        self._console.print(text, style="dim", highlight=False)

    def ready(self, running: Running) -> None:
        """Start drawing."""
        self._title = f"[dim]collector[/] {running.collector}  [dim]sales[/] {running.sales}"
        self._live.start()
        self._started = True

    def notice(self, text: str) -> None:
        """A line above the view, so that it stays to be read."""
        self._console.print(text, style="yellow", highlight=False, markup=False)

    def show(self, snapshot: Snapshot, new: Sequence[RoutedSample]) -> None:  # noqa: ARG002 the snapshot has them
        """Draw."""
        rows = self._console.size.height - _ABOVE
        self._live.update(view.render(snapshot, self._title, rows=rows), refresh=True)

    def tips(self, lines: Sequence[str]) -> None:
        """Above the view, unbroken, so that they can be copied."""
        for line in lines:
            self._console.print(line, style="green", highlight=False, markup=False, soft_wrap=True)

    def close(self) -> None:
        """Leave the last picture on the terminal."""
        if self._started:
            self._live.stop()
        self._console.print("stopped", style="dim")


def presenter(*, as_json: bool) -> Presenter:
    """The one that suits the standard output."""
    if as_json:
        return JsonPresenter()
    console = Console()
    return LivePresenter(console) if console.is_terminal else PlainPresenter()
