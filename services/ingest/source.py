"""A source: whoever sends events, as the door and the stage know it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from rules.faults import Fault

GRAPH_URL = "https://graph.facebook.com"
LINKEDIN_URL = "https://api.linkedin.com/rest"
LINKEDIN_VERSION = "202610"
"""Of LinkedIn's API, which has one each month and serves each for about a year."""


@dataclass(frozen=True, slots=True)
class Source:
    """A source as the door needs it; secrets are resolved, and shown in no text."""

    id: str
    kind: str
    secrets: tuple[str, ...] = field(default=(), repr=False)
    verify_token: str | None = field(default=None, repr=False)
    access_token: str | None = field(default=None, repr=False)
    graph_url: str = GRAPH_URL
    linkedin_url: str = LINKEDIN_URL
    linkedin_version: str = LINKEDIN_VERSION
    unsigned: bool = False
    """Notices without a signature are taken too, where the platform sends none; one that is there must fit."""
    public_url: str | None = None
    """The webhook's address as the platform knows it, where a proxy stands before the collector."""
    origins: tuple[str, ...] = ()
    region: str | None = None
    expect_every: float | None = None
    event: str = "form_submitted"
    aliases: tuple[str, ...] = ()
    closed: bool = False
    """The file names what it is verified by and none of that is set: nothing is taken, rather than everything."""
    unset: tuple[str, ...] = ()
    """Names of the variables that the file names and that are not set."""

    @property
    def unset_words(self) -> tuple[str, str]:
        """What is not set, and what to set: `A is not set`, `it`, or `A, B are not set`, `them`."""
        names = ", ".join(self.unset)
        return (f"{names} are not set", "them") if len(self.unset) > 1 else (f"{names} is not set", "it")


@dataclass(frozen=True, slots=True)
class Sources:
    """All sources. `notices` are not faults: what is closed or lacks a part because a variable is not set."""

    entries: tuple[Source, ...]
    notices: tuple[Fault, ...] = ()
    _by_name: Mapping[str, Source] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_name = {alias: source for source in self.entries for alias in source.aliases}
        by_name |= {source.id: source for source in self.entries}
        object.__setattr__(self, "_by_name", by_name)

    def get(self, name: str) -> Source | None:
        """The source of that id, or of that alias."""
        return self._by_name.get(name)

    def __iter__(self) -> Iterator[Source]:
        return iter(self.entries)
