"""The sentence in which a worker that ended said why. Pure."""

from __future__ import annotations

import json

_GRAVE = ("error", "critical")
_REFUSED = "baton: "


def last_error(log: str) -> str:
    """The last error in the lines of a worker's log, JSON or the command's own; empty where none stands there."""
    for line in reversed(log.splitlines()):
        if line.startswith(_REFUSED):
            return line.removeprefix(_REFUSED).strip()
        if line.startswith("{") and (said := _event(line)):
            return said
    return ""


def _event(line: str) -> str:
    try:
        entry = json.loads(line)
    except ValueError:  # the log may have been cut within it
        return ""
    if entry.get("level") not in _GRAVE:
        return ""
    words: list[str] = str(entry.get("event", "")).splitlines()
    return words[0].strip() if words else ""
