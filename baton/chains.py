"""Replays that failed again: of a record that failed, was replayed and failed once more only the latest goes back.

Each failure of it is a failed record of its own, which names the one that it was a replay of. To send all of them back
would double them with each try.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from baton.failed import FailedRecord
from baton.replays import Replays


def failed_again(found: Iterable[FailedRecord], wanted: Callable[[FailedRecord], bool], known: Replays) -> set[str]:
    """Ids of the wanted ones of which a later replay failed, too, and is wanted itself.

    `found` may hold records that are not wanted: they tell how others hang together. Of records that were never
    replayed, and are no replays, nothing is kept in memory.
    """
    origins: dict[str, str] = {}
    candidates: list[tuple[float, str, str, bytes | None]] = []
    for one in found:
        if one.replay_of:
            origins[one.id] = one.replay_of
        if wanted(one) and (one.replay_of or known.of(one) is not None):
            candidates.append((one.at, one.id, one.topic, one.key))
    latest: dict[tuple[str, str, bytes | None], str] = {}
    earlier: set[str] = set()
    for _, name, topic, key in sorted(candidates, key=lambda one: one[0]):  # as they came, where the times are equal
        # A replay has its record's topic and key. In a failed topic that was made anew an id may be another record's.
        chain = (_first(name, origins), topic, key)
        if chain in latest:
            earlier.add(latest[chain])
        latest[chain] = name
    return earlier


def _first(name: str, origins: dict[str, str]) -> str:
    """The id at the begin of a chain; strangers may have made a ring of them."""
    seen = {name}
    while (origin := origins.get(name)) is not None and origin not in seen:
        seen.add(origin)
        name = origin
    return name
