"""`baton check`: every fault of settings and configuration at once."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from baton import configuration, counting
from baton.faulty_settings import unusable
from baton.refusal import Refusal
from baton.settings import PREFIX, Setting, Settings, describe, variable
from baton.up.ports import shared
from rules.faults import Fault, FaultyConfiguration

ENVIRONMENT = "environment"
"""Stands in the place of the file for faults of settings."""
_NEAR = 0.7
"""How much of two names must be the same (0 to 1) for one to be a slip of the other."""
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


def check_all(environment: Mapping[str, str]) -> tuple[Findings, list[Setting]]:
    """Every fault of settings and files, and every setting; of a faulty one the value is not shown."""
    settings, faults = check_environment(environment)
    faulty = {fault.message.partition(":")[0] for fault in faults}
    rows = [replace(row, value="(faulty)") if row.name in faulty else row for row in describe(settings, environment)]
    notices = [Fault(ENVIRONMENT, 0, one.message, one.mend) for one in shared(settings) if not one.refused]
    try:
        found = check_files(settings.config_dir)
    except Refusal as refusal:
        found = Findings((Fault(str(settings.config_dir), 0, refusal.message, refusal.mend),))
    return Findings((*faults, *found.faults), (*notices, *found.notices)), rows


def check_environment(environment: Mapping[str, str]) -> tuple[Settings, tuple[Fault, ...]]:
    """The settings, with the default for each that is faulty; and their faults.

    Among these are variables that look like one of Baton's and are none.
    """
    faults = []
    try:
        settings = Settings()
    except ValidationError as error:
        wrong = unusable(error)
        faults += [Fault(ENVIRONMENT, 0, f"{variable(one.name)}: {one.message}", one.mend) for one in wrong]
        settings = Settings(**{one.name: Settings.model_fields[one.name].default for one in wrong})
        settings.model_fields_set.difference_update(one.name for one in wrong)
    faults += [Fault(ENVIRONMENT, 0, one.message, one.mend) for one in shared(settings) if one.refused]
    faults += unknown(environment)
    return settings, tuple(faults)


def unknown(environment: Mapping[str, str]) -> list[Fault]:
    """A fault for each variable that looks like one of Baton's and is none."""
    names = [name.upper() for name in Settings.model_fields]
    faults = []
    for name in sorted(environment):
        bare = name.removeprefix(PREFIX).upper()
        if not name.startswith(PREFIX) or bare in names or name.startswith(_NOT_OURS):
            continue
        near = difflib.get_close_matches(bare, names, 1, _NEAR)  # without what all of them begin with
        mend = (
            f"Did you mean {PREFIX}{near[0]}?" if near else "Take it out, or see `baton check` for those that there are"
        )
        faults.append(Fault(ENVIRONMENT, 0, f"{name} is no setting", mend))
    return faults


def counted(faults: int) -> str:
    """How many faults there are, in words."""
    return counting.counted(faults, "fault", "faults") if faults else "no faults"
