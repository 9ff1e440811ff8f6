"""One audit of a running installation."""

from __future__ import annotations

from tests.audit.ledger import read_ledger
from tests.audit.records import Seen, read_all, topics_of
from tests.audit.report import Report, audit


def look(bootstrap: str, database: str, prefix: str = "", seconds: float = 120) -> Report:
    """One audit. Of the ledger and the topics the ledger is read first: what it holds must be published by then.

    `seconds`: how long reading the topics may take.
    """
    ledger = read_ledger(database)
    records: dict[str, list[Seen]] = {}
    for topic in sorted(topics_of(bootstrap, prefix)):
        name = topic.removeprefix(prefix)
        if not name.startswith("_") and not name.endswith(".state"):
            records[name] = []
    for seen in read_all(bootstrap, [prefix + name for name in records], seconds):
        records[seen.topic.removeprefix(prefix)].append(seen)
    return audit(records, ledger)
