"""What to try once the first lead was routed, in words that can be copied into a shell. Pure."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

from baton.up.snapshot import RoutedSample


def tips(first: RoutedSample, collector: str, baton: str) -> list[str]:
    """The lines; `baton`: how the program is typed."""
    who = "-d email=kim@acme.example -d full_name='Kim Doe' -d job_title='VP Sales'"
    where = "-d company=Acme -d employees=1200 -d country=DE -d event_type=demo_requested"
    form = shlex.quote(f"{collector}/v1/forms/website")  # to some shells the brackets of IPv6 are a pattern
    return [
        f"The first lead was routed: {first.who}. Try one of your own:",
        f"  curl {form} {who} {where}",
        f"  {baton} explain kim@acme.example",
    ]


def typed(program: str, python: str, here: Path, path: str) -> str:
    """How somebody in the folder `here` types the running `program`.

    By its name alone only where `path` leads to it; `python` is the interpreter, for `python -m baton`.
    """
    if Path(program).name == "__main__.py":
        return f"{_short(python, here, path)} -m baton"
    return _short(program, here, path)


def _short(program: str, here: Path, path: str) -> str:
    absolute = here / program
    found = shutil.which(absolute.name, path=path)
    if found is not None and here / found == absolute:
        return absolute.name
    return shlex.quote(str(absolute.relative_to(here) if absolute.is_relative_to(here) else absolute))
