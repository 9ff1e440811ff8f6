"""What is known of a person, in layers: one for each event that still has a say, oldest first.

Of each fact the value with the latest time counts, then that of the greater event id. So the layers are the same in
whatever order the events came.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from services.scoring.event import EXTRA, Event

MOST_EXTRAS: Final = 50
"""So many unknown attributes are kept, those told last."""


class Layer(NamedTuple):
    """The facts of one event that no later event has overruled. `at`: microseconds since the epoch."""

    at: int
    event_id: str
    facts: dict[str, Any]


Layers = tuple[Layer, ...]


def facts(layers: Layers) -> Mapping[str, Any]:
    """Everything known, by name."""
    if len(layers) == 1:  # most leads: nothing is copied, for nobody changes it
        return layers[0].facts
    known: dict[str, Any] = {}
    for layer in layers:
        known.update(layer.facts)
    return known


def with_facts(layers: Layers, event: Event) -> Layers:
    """`layers` and what `event` says."""
    if not event.facts:
        return layers
    key = (event.at, event.id)
    new = dict(event.facts)
    if layers and layers[-1].facts.keys() == new.keys() and layers[-1][:2] < key:  # says the last one's facts anew
        return (*layers[:-1], Layer(event.at, event.id, {name: new[name] for name in layers[-1].facts}))
    below: list[Layer] = []
    above: list[Layer] = []
    for layer in layers:
        if layer[:2] > key:
            above.append(layer)
            for name in layer.facts:
                new.pop(name, None)
        else:
            below.append(layer)
    if not new:
        return layers
    whole: list[Layer] = []
    for layer in below:
        if layer.facts.keys().isdisjoint(new):
            whole.append(layer)
        elif rest := {name: value for name, value in layer.facts.items() if name not in new}:
            whole.append(Layer(layer.at, layer.event_id, rest))
    whole.append(Layer(event.at, event.id, dict(sorted(new.items()))))
    whole += above
    if any(name.startswith(EXTRA) for name in new):
        return _within_bounds(whole)
    return tuple(whole)


def _within_bounds(layers: list[Layer]) -> Layers:
    extras = [(index, name) for index, layer in enumerate(layers) for name in layer.facts if name.startswith(EXTRA)]
    if len(extras) > MOST_EXTRAS:
        extras.sort(key=lambda one: (-one[0], one[1]))  # the latest first; of one event, by name
        for index, name in extras[MOST_EXTRAS:]:
            rest = {known: value for known, value in layers[index].facts.items() if known != name}
            layers[index] = layers[index]._replace(facts=rest)
        layers = [layer for layer in layers if layer.facts]
    return tuple(layers)
