"""What somebody may have meant who wrote a name that does not exist."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(written: str, known: Iterable[str]) -> str | None:
    """The name of `known` that `written` is most likely a slip of, or None. Case is looked past."""
    by_folded = {name.casefold(): name for name in known}
    hits = get_close_matches(written.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[hits[0]] if hits else None


def mend_for(written: str, known: Iterable[str]) -> str:
    """A mend: "Did you mean …?", or the list of what there is."""
    names = sorted(set(known))
    hit = nearest(written, names)
    if hit is not None:
        return f"Did you mean `{hit}`?"
    if not names:
        return "Take it out."
    return f"Known here: {', '.join(names)}."
