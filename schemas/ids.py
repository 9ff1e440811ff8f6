"""Ids that derive from what they stand for: the same input always gets the same id."""

from __future__ import annotations

from uuid import UUID, uuid5

NAMESPACE = UUID("6f9b2f0e-5d0c-5b7a-9a51-0b1d7c5e8a11")
"""Root of all ids of Baton's making. Never change it: ids in topics and ledgers rest on it."""


def lead_id(kind: str, value: str) -> str:
    """Id of the lead whose strongest identifier is the normalised `value` of `kind`.

    Ids that only mean something to their source (`external_id`) come as `source:id`.
    """
    return str(uuid5(NAMESPACE, f"lead:{kind}:{value}"))


def derived_id(what: str, *parents: str) -> str:
    """Id of a record of kind `what` that follows from the records with the ids `parents`, in that order."""
    return str(uuid5(NAMESPACE, ":".join((what, *parents))))
