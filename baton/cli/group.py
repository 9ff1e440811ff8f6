"""The root of all commands: what goes wrong by wrong use or configuration ends as a line and a mend."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from baton.cli.output import ReaderGone
from baton.refusal import READER_GONE, WRONG_USE, Refusal


class Commands(TyperGroup):
    """A group of commands that turns refusals into lines and exit codes."""

    def make_context(self, *args: Any, **options: Any) -> Any:
        """Read the arguments; help and version are printed here."""
        with _plain_end():
            return super().make_context(*args, **options)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; errors that a person can mend become lines on standard error."""
        try:
            with _plain_end():
                return super().invoke(ctx)
        except typer.Exit:
            raise
        except Exception as error:
            lines = _mendable(error)
            if lines is None:
                raise
            _end(lines, WRONG_USE)


@contextmanager
def _plain_end() -> Iterator[None]:
    """Refusals and readers that have seen enough, as exit codes."""
    try:
        yield
    except Refusal as refusal:
        _end(str(refusal), refusal.code)
    except (ReaderGone, BrokenPipeError):  # of standard output; of standard error, or a pipe that an export goes to
        raise typer.Exit(READER_GONE) from None


def _mendable(error: Exception) -> str | None:
    """What to say of an error of the configuration; None for one of ours, whose traceback is wanted."""
    from pydantic import ValidationError

    from rules.faults import FaultyConfiguration
    from streaming.client import UnusableAddress

    if isinstance(error, FaultyConfiguration):
        return str(error)
    if isinstance(error, UnusableAddress):  # of options that only some of the clients have no use for
        return f"BATON_KAFKA_OPTIONS: {error}"
    if isinstance(error, ValidationError) and error.title == "Settings":
        from baton.faulty_settings import unusable

        return "\n".join(map(str, unusable(error)))
    return None


def _end(text: str, code: int) -> NoReturn:
    with suppress(OSError):  # where that cannot be written either, the exit code says it
        typer.echo(f"baton: {text}", err=True)
    raise typer.Exit(code)
