"""`baton check`: every fault of settings and configuration at once."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from baton import configuration
from baton.settings import PREFIX, Settings, variable
from rules.faults import Fault, FaultyConfiguration

ENVIRONMENT = "environment"
"""Stands in the place of the file for faults of settings."""
_NOT_OURS = ("BATON_TEST_", "BATON_DEMO_", "BATON_TOKEN")


@dataclass(frozen=True, slots=True)
class Findings:
    """Faults make a configuration unusable; notices are worth knowing."""

    faults: tuple[Fault, ...]
    notices: tuple[Fault, ...] = ()


def check_files(directory: Path) -> Findings:
    """Every fault of the four files of `directory`. Raises `Refusal` where it is no folder."""
    configuration.folder(directory)
    faults: list[Fault] = []
    notices: list[Fault] = []
    loaders: tuple[Callable[[Path], object], ...] = (
        configuration.sources,
        configuration.ruleset,
        configuration.plan,
    )
    for load in loaders:
        try:
            loaded = load(directory)
        except FaultyConfiguration as faulty:
            faults += faulty.faults
        else:
            notices += getattr(loaded, "notices", ())
    return Findings(tuple(sorted(faults)), tuple(sorted(notices)))


def check_environment(environment: Mapping[str, str]) -> tuple[Fault, ...]:
    """Faults of the settings, and variables that look like one of Baton's and are none."""
    faults = []
    try:
        Settings()
    except ValidationError as error:
        for fault in error.errors():
            name = variable(str(fault["loc"][0]))
            faults.append(Fault(ENVIRONMENT, 0, f"{name}: {fault['msg']}", "Set it otherwise, or leave it out"))
    known = [variable(name) for name in Settings.model_fields]
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in known and not name.startswith(_NOT_OURS):
            near = difflib.get_close_matches(name, known, 1)
            mend = f"Did you mean {near[0]}?" if near else "Take it out, or see `baton check` for those that there are"
            faults.append(Fault(ENVIRONMENT, 0, f"{name} is no setting", mend))
    return tuple(faults)
