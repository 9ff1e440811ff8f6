"""The root of all commands: what goes wrong by wrong use or configuration ends as a line and a mend."""

from __future__ import annotations

from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from baton.refusal import NO, WRONG_USE, Refusal


class Commands(TyperGroup):
    """A group of commands that turns refusals into lines and exit codes."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; errors that a person can mend become lines on standard error."""
        try:
            return super().invoke(ctx)
        except Refusal as refusal:
            _end(str(refusal), refusal.code)
        except BrokenPipeError:  # the reader of a pipe has seen enough
            raise typer.Exit(NO) from None
        except Exception as error:
            lines = _mendable(error)
            if lines is None:
                raise
            _end(lines, WRONG_USE)


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
    typer.echo(f"baton: {text}", err=True)
    raise typer.Exit(code)
