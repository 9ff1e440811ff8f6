"""`baton failed export`."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from baton.cli.selecting import Reason, Since, Stage, Until, selected, settings_of_what_is_up
from baton.counting import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

_STANDARD_OUTPUT = frozenset(map(Path, ("-", "/dev/stdout", "/dev/fd/1")))


def export(
    file: Annotated[Path | None, typer.Argument(help="Where to; - or none is standard output.")] = None,
    *,
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
    selection = selected(stage, reason, since, until)
    settings = settings_of_what_is_up()
    known, where, count = replays.known(settings), failed.standing(settings, selection), 0
    try:
        with Kept(settings) as kept, _whole(file) as out:
            for one in failed.records(settings, selection, where):
                try:
                    whole = kept.whole(one)
                except Gone as why:
                    typer.echo(f"{why.message}; its note is exported in its place", err=True)
                    whole = one
                out.write(orjson.dumps(whole.document() | row(one, known)) + b"\n")
                count += 1
            out.flush()
    except BrokenPipeError:  # a named pipe
        raise
    except OSError as error:
        no_room = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        mend = "Give another file, or make room" if no_room else "Give a file in a folder that is there and takes it"
        raise Refusal(f"cannot write {file}: {error.strerror}", mend) from error
    if file is not None:
        typer.echo(f"{counted(count, 'record', 'records')} in {file}")


@contextmanager
def _whole(file: Path | None) -> Iterator[BinaryIO]:
    """Where to write; a file has its name once all of it is there, and one of that name is untouched until then."""
    if file is None:
        yield sys.stdout.buffer
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
    draft = path.with_name(f".baton-export-{os.getpid()}")
    try:
        with draft.open("wb") as out:
            if path.exists():
                draft.chmod(path.stat().st_mode & 0o7777)
            yield out
            os.fsync(out.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
