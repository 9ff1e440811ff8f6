"""What somebody may have meant who wrote a name that does not exist."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_SHOWN = 20


def nearest(written: str, known: Iterable[str]) -> str | None:
    """The name of `known` that `written` is most likely a slip of, or None. Case is looked past."""
    by_folded = {name.casefold(): name for name in known}
    hits = get_close_matches(written.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[hits[0]] if hits else None


def nearest_path(written: str, known: Iterable[str]) -> str | None:
    """The path that `written` is most likely a slip of: one that ends the same, else one in the same place."""
    paths = list(known)
    start, _, rest = written.partition(".")
    last = written.rpartition(".")[2].casefold()
    ends_so = [path for path in paths if path.rpartition(".")[2].casefold() == last]
    if ends_so:
        return nearest(written, ends_so) or ends_so[0]
    beside = {path.partition(".")[2]: path for path in paths if rest and path.partition(".")[0] == start}
    hit = nearest(rest, beside)
    if hit is not None:
        return beside[hit]
    return None if beside else nearest(written, paths)


def mend_for(written: str, known: Iterable[str]) -> str:
    """A mend: "Did you mean …?", or the list of what there is."""
    names = sorted(set(known))
    hit = nearest(written, names)
    if hit is not None:
        return f"Did you mean `{hit}`?"
    if not names:
        return "Take it out."
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"Known here: {', '.join(names[:_SHOWN])}{more}."
