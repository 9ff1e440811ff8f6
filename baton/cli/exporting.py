"""`baton failed export`."""

from __future__ import annotations

import errno
import os
import signal
import sys
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, NoReturn, Self

import typer

from baton.cli.selecting import Reason, Since, Stage, Until, selected, settings_of_what_is_up
from baton.counting import counted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType, TracebackType

_STANDARD_OUTPUT = frozenset(map(Path, ("-", "/dev/stdout", "/dev/fd/1")))


def export(
    file: Annotated[Path | None, typer.Argument(help="Where to; - or none is standard output.")] = None,
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace FILE where it is there already.")] = False,
    stage: Stage = None,
    reason: Reason = None,
    since: Since = None,
    until: Until = None,
) -> None:
    """All of each failed record, as JSON Lines; bytes that are no UTF-8 as base64."""
    import orjson

    from baton import failed, replays
    from baton.failures import row
    from baton.kept import Gone, Kept
    from baton.refusal import Refusal

    if file in _STANDARD_OUTPUT:  # by its name, too: how many there are is no line of theirs
        file = None
    if file is not None and file.is_file() and not force:
        raise Refusal(f"{file} is there already", "Give another file, or --force to replace it")
    selection = selected(stage, reason, since, until)
    settings = settings_of_what_is_up()
    known, where, count = replays.known(settings), failed.standing(settings, selection), 0
    with Kept(settings) as kept, _Output(file) as out:
        for one in failed.records(settings, selection, where):
            try:
                whole = kept.whole(one)
            except Gone as why:
                typer.echo(f"{why.message}; its note is exported in its place", err=True)
                whole = one
            out.write(orjson.dumps(whole.document() | row(one, known)) + b"\n")
            count += 1
    if file is not None:
        typer.echo(f"{counted(count, 'record', 'records')} in {file}")


class _Output:
    """Where an export goes. Raises `Refusal` where that cannot be written; other errors pass as they are."""

    def __init__(self, file: Path | None) -> None:
        self._file, self._opened = file, _whole(file)

    def __enter__(self) -> Self:
        with _plainly(self._file):
            self._out = self._opened.__enter__()
        return self

    def write(self, line: bytes) -> None:
        with _plainly(self._file):
            self._out.write(line)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with _plainly(self._file):  # what ended the export is not raised in here, but by who called
            self._opened.__exit__(kind, error, at)


@contextmanager
def _plainly(file: Path | None) -> Iterator[None]:
    """Why a file cannot be written, in a line; standard output has lines of its own (`baton.cli.output`)."""
    from baton.refusal import Refusal

    try:
        yield
    except OSError as error:
        if file is None or isinstance(error, BrokenPipeError):  # of a named pipe
            raise
        no_room = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        mend = "Give another file, or make room" if no_room else "Give a file in a folder that is there and takes it"
        raise Refusal(f"cannot write {file}: {error.strerror or error}", mend) from error


@contextmanager
def _whole(file: Path | None) -> Iterator[BinaryIO]:
    """Where to write; a file has its name once all of it is there, and one of that name is untouched until then."""
    if file is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    # A device or a pipe, which nothing may take the place of. The name of one that has none leads nowhere (/dev/fd/63).
    if file.exists() and not file.is_file():
        with file.open("wb") as out:
            yield out
        return
    try:
        path = file.resolve()  # where a link leads, so that it stays one
    except RuntimeError:  # to itself; so Python 3.11 says it
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from None
    if path.exists():
        path.open("ab").close()  # one that may not be written is not replaced either
    # 60 characters have 240 bytes at most, and a name 255.
    draft = path.with_name(f".{path.name[:60]}.{uuid.uuid4().hex[:8]}.part")
    with _tidy_end():
        try:
            # What people said of themselves; until it has its name nobody else is to read it.
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                yield out
                out.flush()
                os.fchmod(out.fileno(), _mode(path))
                os.fsync(out.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)


def _mode(path: Path) -> int:
    """Of a file that is there; a new one is its owner's alone, for what people said of themselves stands in it."""
    try:
        return path.stat().st_mode & 0o7777
    except FileNotFoundError:
        return 0o600


@contextmanager
def _tidy_end() -> Iterator[None]:
    """Meanwhile signals that end the process do so by way of `finally`, with the exit code that a shell says of them.

    One that is ignored (`nohup`), or that somebody listens to, is left as it is.
    """
    numbers = [one for one in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(one) is signal.SIG_DFL]
    try:
        for number in numbers:
            signal.signal(number, _end)
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)
