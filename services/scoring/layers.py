"""What is known of a person, in layers: one for each event that still has a say, oldest first.

Of each fact the value with the latest time counts, then that of the greater event id. So the layers are the same in
whatever order the events came.
"""

from __future__ import annotations

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


def facts(layers: Layers) -> dict[str, Any]:
    """Everything known, by name."""
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
    kept = [Layer(at, event_id, {n: v for n, v in old.items() if n not in new}) for at, event_id, old in below]
    whole = [*(layer for layer in kept if layer.facts), Layer(*key, dict(sorted(new.items()))), *above]
    return _within_bounds(whole)


def _within_bounds(layers: list[Layer]) -> Layers:
    extras = [(index, name) for index, layer in enumerate(layers) for name in layer.facts if name.startswith(EXTRA)]
    if len(extras) > MOST_EXTRAS:
        extras.sort(key=lambda one: (-one[0], one[1]))  # the latest first; of one event, by name
        for index, name in extras[MOST_EXTRAS:]:
            rest = {known: value for known, value in layers[index].facts.items() if known != name}
            layers[index] = layers[index]._replace(facts=rest)
        layers = [layer for layer in layers if layer.facts]
    return tuple(layers)
