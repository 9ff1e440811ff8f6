"""Which port each door and each worker gets."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from baton.embedded.ports import free_port, is_free
from baton.listening import demand_host
from baton.refusal import Refusal
from baton.settings import Settings, variable

DOORS = {"collector": "collector", "sales": "sales API"}
"""The doors by the names of their commands, and what people call them."""
METRICS = "metrics_port"
_OWNERS = {"collector_port": "the collector", "sales_port": "the sales API", METRICS: "the workers' metrics"}


@dataclass(frozen=True, slots=True)
class Shared:
    """A port that several settings name: `given` are fields that were set, `default` those that nobody set."""

    port: int
    given: tuple[str, ...]
    default: tuple[str, ...]

    @property
    def refused(self) -> bool:
        """Whether more than one of them was set: then nobody can say which should give way."""
        return len(self.given) > 1

    @property
    def message(self) -> str:
        """What is wrong, or what `baton up` does about it."""
        names = _listed([variable(field) for field in self.given])
        if self.refused:
            return f"{names} are one port, {self.port}, and only one server can listen there"
        others = _listed([_OWNERS[field] for field in self.default])
        return f"{names} is {self.port}, by default the port of {others}, which `baton up` moves to another one"

    @property
    def mend(self) -> str:
        """What to do."""
        if self.refused:
            return "Give each a port of its own; 0 takes a free one"
        return f"Set {_listed([variable(field) for field in self.default])}, too, where it must not move"


def shared(settings: Settings) -> list[Shared]:
    """Ports that more than one setting names; 0 is none."""
    fields: dict[int, list[str]] = defaultdict(list)
    for field in _OWNERS:
        if port := int(getattr(settings, field)):
            fields[port].append(field)
    return [
        Shared(
            port,
            tuple(field for field in named if field in settings.model_fields_set),
            tuple(field for field in named if field not in settings.model_fields_set),
        )
        for port, named in fields.items()
        if len(named) > 1
    ]


def demand(settings: Settings) -> None:
    """See, before anything starts, that host and ports can be had as they were set. Raises `Refusal`."""
    demand_host(settings.host)
    _demand_apart(settings)
    for field in _OWNERS:
        port = int(getattr(settings, field))
        if field in settings.model_fields_set and port:
            _demand_free(port, field, settings.host)


def _demand_apart(settings: Settings) -> None:
    for one in shared(settings):
        if one.refused:
            raise Refusal(one.message, one.mend)


def _demand_free(port: int, field: str, host: str) -> None:
    if not is_free(port, host):
        free = "free ones" if field == METRICS else "a free one"
        raise Refusal(f"port {port} is taken", f"Set {variable(field)} to another one; 0 takes {free}")


def _listed(names: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


class Ports:
    """Gives out ports: a default one that is taken gives way to a free one, and this is said; a set one stays."""

    def __init__(self, settings: Settings) -> None:
        """Raise `Refusal` where one port was set for two."""
        _demand_apart(settings)
        self._settings, self.notices = settings, list[str]()
        # A port that was set is its owner's from the start: a default one that is asked for earlier gives way.
        self._owners = {int(getattr(settings, field)): field for field in _OWNERS if field in settings.model_fields_set}
        self._wanted = settings.metrics_port

    def door(self, name: str) -> int:
        """The port of a door."""
        field = f"{name}_port"
        port = int(getattr(self._settings, field))
        if port == 0:
            return self._free(field)
        if self._may_have(port, field):
            self._owners[port] = field
            return port
        if field in self._settings.model_fields_set:
            _demand_free(port, field, self._settings.host)
        other, why = self._free(field), self._why_not(port)
        self.notices.append(f"port {port} {why}, so the {DOORS[name]} listens on {other}; {variable(field)} sets it")
        return other

    def metrics(self, worker: str) -> int:
        """The port of a worker's metrics, the next after the last one's."""
        wanted = self._wanted
        port = next((one for one in range(wanted or 65536, 65536) if self._may_have(one, METRICS)), 0)
        self._wanted = port + 1 if 0 < port < 65535 else 0  # where none is found or left, the next are free ones, too
        port = port or self._free(METRICS)
        self._owners[port] = METRICS
        if wanted not in (0, port):
            if wanted == self._settings.metrics_port and METRICS in self._settings.model_fields_set:
                _demand_free(wanted, METRICS, self._settings.host)
            where = f"so the metrics of {worker} are on {port}; {variable(METRICS)} sets the first of them"
            self.notices.append(f"port {wanted} {self._why_not(wanted)}, {where}")
        return port

    def _may_have(self, port: int, field: str) -> bool:
        return self._owners.get(port, field) == field and is_free(port, self._settings.host)

    def _why_not(self, port: int) -> str:
        owner = self._owners.get(port)
        return f"is that of {_OWNERS[owner]}" if owner else "is taken"

    def _free(self, field: str) -> int:
        while (port := free_port(self._settings.host)) in self._owners:
            continue
        self._owners[port] = field
        return port
