"""Whose event it is: the strongest identifier names the lead. Pure.

E-mail, then phone, then the source's own id of the person, then the anonymous id. An `external_id` only means
something to its source and is namespaced by it. An `anonymous_id` is not: one cookie spans the page views and the form
of a site, which are often two sources; libraries make it random, so that two sites do not meet by chance.
"""

from __future__ import annotations

from typing import NamedTuple

from schemas import Identity, MarketingEvent
from schemas.ids import lead_id
from schemas.lead import IdentityKind


class Whose(NamedTuple):
    """The lead of an event, and how it was identified."""

    lead_id: str
    identity: Identity


def identify(event: MarketingEvent) -> Whose | None:
    """The lead of a normalised event, with links to the leads of its weaker identifiers; None if it is nobody's."""
    subject = event.subject
    ids: list[tuple[IdentityKind, str]] = []
    if subject.email:
        ids.append(("email", subject.email))
    if subject.phone:
        ids.append(("phone", subject.phone))
    if subject.external_id:
        ids.append(("external_id", f"{event.source}:{subject.external_id}"))
    if subject.anonymous_id:
        ids.append(("anonymous_id", subject.anonymous_id))
    if not ids:
        return None
    strongest, *weaker = (lead_id(kind, value) for kind, value in ids)
    return Whose(strongest, Identity(kind=ids[0][0], links=weaker))
