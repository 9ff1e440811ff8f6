"""Reads leads and the forms that they answer from LinkedIn's Lead Sync API.

Source: learn.microsoft.com/en-us/linkedin/marketing/lead-sync (`leadFormResponses/{id}`, `leadForms/{id}`, the headers
`LinkedIn-Version` and `X-Restli-Protocol-Version`), as published profiles and clients quote it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import httpx

from schemas import MarketingEvent
from services.ingest.platforms.asking import Passing, api_client, ask, patiently
from services.ingest.platforms.linkedin import event_of_lead
from services.ingest.platforms.platform import Notice, Unreachable
from services.ingest.refusal import refused
from services.ingest.source import Source

MOST_FORMS = 500
"""So many forms are remembered; a version of a form does not change."""

_VERSION_IS_OVER = 426
_FORM = re.compile(r"urn:li:leadGenForm:([0-9]{1,20})")


class LeadSyncReader:
    """A `Fetcher`. `deadline` (seconds) bounds one read with all its tries; a lead takes one, its form another."""

    def __init__(
        self, client: httpx.AsyncClient | None = None, *, deadline: float = 3.0, longest_wait: float = 1.0
    ) -> None:
        self._client = client or api_client()
        self._deadline, self._longest_wait = deadline, longest_wait
        self._forms: dict[tuple[str, str], Mapping[str, Any]] = {}

    async def fetch(self, notice: Notice, source: Source, received_at: datetime) -> MarketingEvent:
        """The lead as an event. Raises `Unreachable`, or `Refused` where LinkedIn has no such lead for us."""
        lead = await self._read(f"leadFormResponses/{notice.lead}", "leadGenFormResponse", source)
        form = await self._form(lead.get("versionedLeadGenFormUrn") or notice.raw.get("leadGenForm"), source)
        return event_of_lead(lead, form, notice, source, received_at)

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.aclose()

    async def _form(self, urn: Any, source: Source) -> Mapping[str, Any]:
        found = _FORM.search(urn) if isinstance(urn, str) else None
        if found is None:
            raise refused("lead_not_found", "leadGenForm", "is no URN of a form", "Read the lead from LinkedIn by hand")
        known = self._forms.get((source.id, urn))
        if known is not None:
            return known
        form = await self._read(f"leadForms/{found[1]}", "leadGenForm", source)
        if len(self._forms) >= MOST_FORMS:
            del self._forms[next(iter(self._forms))]
        self._forms[source.id, urn] = form
        return form

    async def _read(self, what: str, field: str, source: Source) -> Mapping[str, Any]:
        async def once() -> Mapping[str, Any]:
            status, body = await ask(
                self._client,
                "LinkedIn's API",
                f"{source.linkedin_url}/{what}",
                {
                    "authorization": f"Bearer {source.access_token or ''}",
                    "linkedin-version": source.linkedin_version,
                    "x-restli-protocol-version": "2.0.0",
                },
            )
            if status == httpx.codes.OK and isinstance(body, dict):
                return body
            raise _fault(status, field, source)

        return await patiently(once, deadline=self._deadline, longest_wait=self._longest_wait)


def _fault(status: int, field: str, source: Source) -> Exception:
    """What a bad answer means: try again at once, later, or never."""
    said = f"LinkedIn's API answered {status}"
    if status >= 500:
        return Passing(said)
    if status == httpx.codes.NOT_FOUND:
        return refused(
            "lead_not_found",
            field,
            f"{said}: it is not there, or the access token may not read it",
            "Give the token's member a role on the account and its page, then read the lead from LinkedIn by hand",
        )
    if status == _VERSION_IS_OVER:
        return Unreachable(f"{said}: it no longer has version {source.linkedin_version}; set linkedin_version")
    # Throttled, the token has expired or lacks a right, or an answer that is no JSON: a person or time mends it.
    return Unreachable(said)
