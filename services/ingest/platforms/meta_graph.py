"""Reads leads from Meta's Graph API.

Source: developers.facebook.com/docs/graph-api (access token as Bearer, `appsecret_proof`, error codes and
`is_transient`). The token is never put into the address, which proxies log.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

import httpx

from schemas import MarketingEvent
from services.ingest.platforms.asking import Passing, api_client, ask, patiently
from services.ingest.platforms.meta import event_of_lead
from services.ingest.platforms.platform import Notice, Unreachable
from services.ingest.refusal import refused
from services.ingest.source import Source

_NOT_THERE = frozenset((100, 803))
"""Error codes for a lead that does not exist, or not for us."""


class GraphReader:
    """A `Fetcher`. `deadline` (seconds) bounds one lead with all its tries, well below what Meta waits for."""

    def __init__(
        self, client: httpx.AsyncClient | None = None, *, deadline: float = 6.0, longest_wait: float = 1.0
    ) -> None:
        self._client = client or api_client()
        self._deadline, self._longest_wait = deadline, longest_wait

    async def fetch(self, notice: Notice, source: Source, received_at: datetime) -> MarketingEvent:
        """The lead as an event. Raises `Unreachable`, or `Refused` where Meta has no such lead for us."""
        lead = await patiently(
            partial(self._read, notice.lead, source), deadline=self._deadline, longest_wait=self._longest_wait
        )
        return event_of_lead(lead, notice, source, received_at)

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.aclose()

    async def _read(self, lead: str, source: Source) -> Mapping[str, Any]:
        token = source.access_token or ""
        proof = hmac.digest(source.secrets[0].encode(), token.encode(), hashlib.sha256).hex() if source.secrets else ""
        status, body = await ask(
            self._client,
            "the Graph API",
            f"{source.graph_url}/{lead}",
            {"authorization": f"Bearer {token}"},
            {"appsecret_proof": proof},
        )
        if status == httpx.codes.OK and isinstance(body, dict) and isinstance(body.get("field_data"), list):
            return body
        raise _fault(status, body)


def _fault(status: int, body: Any) -> Exception:
    """What a bad answer means: try again at once, later, or never."""
    error = body.get("error") if isinstance(body, dict) else None
    error = error if isinstance(error, dict) else {}
    code = error.get("code")
    said = f"the Graph API answered {status}" + (f", error {code}" if isinstance(code, int) else "")
    if status >= 500 or error.get("is_transient") is True:
        return Passing(said)
    if code in _NOT_THERE or (status == httpx.codes.NOT_FOUND and code is None):
        return refused(
            "lead_not_found",
            "leadgen_id",
            f"{said}: there is no such lead, or the access token may not read it",
            "Give the token's user access to the page's leads, then read them from Meta in bulk",
        )
    # Throttled, or the token has expired: a person or time mends it within the 36 hours in which Meta repeats.
    return Unreachable(said)
