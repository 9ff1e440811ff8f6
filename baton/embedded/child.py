"""A child process that ends with its parent, and what an earlier one may have left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

LOG_BYTES = 10_000_000
"""A log that is larger when its process is started is put aside."""
_TETHER = Path(__file__).with_name("tether.py")


def spawn(
    command: Sequence[str],
    *,
    log: Path,
    ends_with: signal.Signals = signal.SIGTERM,
    user: str = "-",
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start `command` in a session of its own (so that a terminal's Ctrl-C does not reach it); output goes to `log`.

    A log of more than `LOG_BYTES` is put aside first, as `<name>.log.1`, in the place of the one before.
    When this process dies the child gets the signal `ends_with`. Call it from the main thread: the tie is to a thread.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    _turn_over(log)
    tie = [sys.executable, "-I", "-S", str(_TETHER), str(int(ends_with)), str(os.getpid()), user]
    with log.open("ab") as out:
        return subprocess.Popen(
            [*tie, *command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
            env=environment,
        )


def _turn_over(log: Path) -> None:
    with suppress(FileNotFoundError):
        if log.stat().st_size > LOG_BYTES:
            log.replace(log.with_name(f"{log.name}.1"))


def end(process: subprocess.Popen[bytes], *, first: signal.Signals, seconds: float) -> bool:
    """Send `first` and wait so long; then SIGKILL. True where the first was enough."""
    if process.poll() is not None:
        return True
    process.send_signal(first)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False
    return True


def end_leftover(pid: int | None, belongs: str, *, first: signal.Signals, seconds: float) -> None:
    """End what a killed parent left running: process `pid`, if `belongs` stands on its command line."""
    if pid is None:
        return
    try:
        process = psutil.Process(pid)
        if not any(belongs in word for word in process.cmdline()):
            return
        process.send_signal(first)
        process.wait(seconds)
    except psutil.NoSuchProcess:
        return
    except psutil.TimeoutExpired:
        process.kill()
        process.wait(seconds)


def first_line_number(path: Path) -> int | None:
    """The number in the first line of a pid or port file; None where there is none."""
    try:
        return int(path.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def tail(path: Path, lines: int = 12) -> str:
    """The last lines of a log."""
    try:
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""
