"""Starts a worker in this process and waits for its end."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from faust import Worker

from streaming.faust import engine
from streaming.faust.app import StageApp
from streaming.faust.faults import EngineBroken
from streaming.faust.watchdog import end_process
from streaming.probes import Probes

log = logging.getLogger(__name__)

GC_THRESHOLDS = (200_000, 50, 10_000)
"""The collector walks long-lived state again and again with Python's own: 15 % of the time where that was measured."""
EXIT_CRASHED = 1
START_SECONDS = 180.0
"""Faust's own clients have been seen to wait for ever at their start, for a task of theirs that had died.

Longer than a broker waits for the members of their group (`broker_rebalance_timeout`): the engines work meanwhile.
"""


class SaidBefore(logging.Filter):
    """Leaves out what Faust says of a stage's end: the engine has said it, in one line where that is all there is."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to write `record`."""
        if isinstance(record.args, tuple) and any(isinstance(one, EngineBroken) for one in record.args):
            return record.exc_info is None
        return "We experienced a crash" not in str(record.msg)


_SAID_BEFORE = SaidBefore()


class StageWorker(Worker):
    """Faust's worker, quiet, and with the two signals that end it (its own set opens a debugger on SIGUSR2)."""

    def install_signal_handlers(self) -> None:
        """SIGTERM and SIGINT: settle the round in hand, commit it, leave the group, end with 0."""
        if sys.platform == "win32":
            super().install_signal_handlers()
            return
        self.loop.add_signal_handler(signal.SIGINT, self._on_sigint)
        self.loop.add_signal_handler(signal.SIGTERM, self._on_sigterm)


def run(app: StageApp, probes: Probes | None = None) -> int:
    """Run `app` until SIGTERM or SIGINT, with `probes` (not started yet) beside it; give the exit code.

    0 after an orderly stop, 1 after a crash. A worker that hangs, at its start or when it stops after a crash too, ends
    the process itself, with 70.
    Logging is the caller's; call this in the main thread.
    """
    gc.set_threshold(*GC_THRESHOLDS)
    app.when_ready(gc.freeze)
    app.when_crashed(lambda: end_late(app.settings.exit_timeout_seconds))
    app.settings.data_dir.mkdir(parents=True, exist_ok=True)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    worker = StageWorker(
        app, loop=loop, quiet=True, override_logging=False, redirect_stdouts=False, loglevel=None, daemon=True
    )
    worker.spinner = None
    for name in (engine.__name__, Worker.__module__):
        logging.getLogger(name).addFilter(_SAID_BEFORE)
    threading.Thread(target=demand_up, args=(app.up, START_SECONDS), name="start", daemon=True).start()
    with probes if probes is not None else nullcontext():
        return _exit_code(worker)


def demand_up(up: threading.Event, seconds: float, end: Callable[[], None] = end_process) -> None:
    """End the process, for its supervisor to start it again, where the app is not up in time."""
    if not up.wait(seconds):
        log.critical("the worker has not started within %.0f s: the process ends", seconds)
        end()


def end_late(seconds: float) -> None:
    """End the process in `seconds`, where it has not ended in order by then: Faust's clients may hang as they stop."""
    timer = threading.Timer(seconds, end_process)
    timer.daemon = True
    timer.start()


def _exit_code(worker: Any) -> int:
    try:
        worker.execute_from_commandline()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else EXIT_CRASHED
    return 0
