"""TikTok instant forms. The delivery carries the answers; no later read exists, so a lost one is lost.

Source: a published adapter that quotes TikTok's Business API; not checked against TikTok itself. `X-Open-Signature` is
the hex HMAC-SHA256 over the body with all beyond ASCII escaped.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from schemas import MarketingEvent
from services.ingest import strict_json
from services.ingest.fields import event_data
from services.ingest.platforms.platform import Answer, Delivery, Parsed, check_signature, escaped, no_challenge
from services.ingest.reading import event_of
from services.ingest.refusal import Refused, refused
from services.ingest.source import Source

LEAD = 1
"""`object` of a lead; other products share the address."""

_ABOUT = ("page_id", "advertiser_id", "campaign_id", "adgroup_id", "ad_id", "lead_source")


class Tiktok:
    """Kind `tiktok`."""

    needs = ("secrets",)

    def challenge(self, delivery: Delivery, source: Source) -> Answer:  # noqa: ARG002 the protocol's
        """TikTok sends none."""
        raise no_challenge()

    def verify(self, delivery: Delivery, source: Source) -> None:
        """Check `X-Open-Signature`."""
        signed = escaped(delivery.body)

        def sign(secret: bytes) -> str:
            return hmac.digest(secret, signed, hashlib.sha256).hex()

        check_signature(delivery.headers.get("x-open-signature"), "X-Open-Signature", source, sign)

    def parse(self, delivery: Delivery, source: Source) -> Parsed:
        """An event for each lead."""
        envelope = strict_json.loads(delivery.body)
        if not isinstance(envelope, dict) or not isinstance(envelope.get("entry"), list):
            raise refused("schema_violation", "entry", "is not an array", "Send TikTok's webhook as it is")
        parsed = Parsed()
        if envelope.get("object") != LEAD:
            return parsed
        for index, entry in enumerate(envelope["entry"]):
            try:
                parsed.events.append(_event(entry, source, delivery.received_at))
            except Refused as why:
                parsed.refused.append((index, why))
        return parsed


def _event(entry: Any, source: Source, received_at: datetime) -> MarketingEvent:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("id"), (int, str)) or not entry.get("id"):
        raise refused("schema_violation", "entry.id", "is missing", "Send TikTok's webhook as it is")
    changes = entry.get("changes")
    answers = [
        (str(one["field"]), one.get("value"))
        for one in (changes if isinstance(changes, list) else [])
        if isinstance(one, dict) and one.get("field")
    ]
    data = event_data(
        answers,
        event_id=f"{source.id}:{entry['id']}",
        type="ad_lead_submitted",
        occurred_at=entry.get("create_time") or received_at,
        source=source.id,
        properties={name: entry.get(name) for name in _ABOUT},
        campaign={
            "source": "tiktok",
            "medium": "paid_social",
            "name": entry.get("campaign_id"),
            "content": entry.get("ad_id"),
        },
    )
    return event_of(data, received_at)
