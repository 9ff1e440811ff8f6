"""Meta Lead Ads: the webhook only says that there is a lead; the lead is read from the Graph API.

Source: developers.facebook.com/docs/graph-api/webhooks/getting-started (signature, retries over 36 hours) and
…/webhooks-for-leadgen. Nothing of a delivery is acknowledged before its leads are safe: what cannot be fetched now is
answered with 503, and Meta sends the whole delivery again; what is safe already is then dropped by its `event_id`.
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
from services.ingest.platforms.platform import Answer, Delivery, Notice, Parsed, check_signature, escaped
from services.ingest.reading import event_of
from services.ingest.refusal import Refused, refused
from services.ingest.source import Source

_TEST = "<test lead:"
"""How the answers of Meta's testing tool begin."""

_ABOUT = ("form_id", "page_id", "ad_id", "ad_name", "adset_id", "adset_name", "campaign_id", "is_organic", "platform")


class Meta:
    """Kind `meta`."""

    needs = ("secrets", "verify_token", "access_token")

    def challenge(self, delivery: Delivery, source: Source) -> Answer:
        """Echo `hub.challenge` where `hub.verify_token` is ours."""
        query = delivery.query
        token = query.get("hub.verify_token", "")
        if query.get("hub.mode") != "subscribe" or "hub.challenge" not in query:
            raise refused(
                "bad_request", "hub.mode", "is not `subscribe`, or hub.challenge is missing", "See Meta's docs"
            )
        if not source.verify_token or not hmac.compare_digest(token.encode(), source.verify_token.encode()):
            raise refused(
                "forbidden", "hub.verify_token", "is not this source's", "Enter the token that sources.yaml names"
            )
        return Answer(query["hub.challenge"].encode(), "text/plain; charset=utf-8")

    def verify(self, delivery: Delivery, source: Source) -> None:
        """Check `X-Hub-Signature-256`, over the bytes as they came, then over their escaped form, as Meta has it."""
        given = delivery.headers.get("x-hub-signature-256")
        try:
            check_signature(given, "X-Hub-Signature-256", source, _signer(delivery.body))
        except Refused:
            if delivery.body.isascii():
                raise
            check_signature(given, "X-Hub-Signature-256", source, _signer(escaped(delivery.body)))

    def parse(self, delivery: Delivery, source: Source) -> Parsed:  # noqa: ARG002 the protocol's
        """A notice for each lead; other news of the page is passed over."""
        envelope = strict_json.loads(delivery.body)
        if not isinstance(envelope, dict) or not isinstance(envelope.get("entry"), list):
            raise refused("schema_violation", "entry", "is not an array", "Send Meta's webhook as it is")
        parsed = Parsed()
        changes = [
            change for entry in envelope["entry"] if isinstance(entry, dict) for change in _list(entry, "changes")
        ]
        for index, change in enumerate(changes):
            if not isinstance(change, dict) or change.get("field") != "leadgen":
                continue
            value = change.get("value")
            lead = str(value.get("leadgen_id", "")) if isinstance(value, dict) else ""
            if not lead.isascii() or not lead.isdigit():
                why = refused("schema_violation", "leadgen_id", "is not a number", "Send Meta's webhook as it is")
                parsed.refused.append((index, why))
            elif isinstance(value, dict):
                parsed.notices.append(Notice(lead, value))
        return parsed


def event_of_lead(lead: Mapping[str, Any], notice: Notice, source: Source, received_at: datetime) -> MarketingEvent:
    """The event that a lead of the Graph API is. Raises `Refused`."""
    answers = [
        (str(one.get("name")), one.get("values"))
        for one in _list(lead, "field_data")
        if isinstance(one, dict) and one.get("name")
    ]
    said = {**notice.raw, **lead}
    is_test = any(
        isinstance(value, str) and value.startswith(_TEST)
        for _, values in answers
        for value in (values if isinstance(values, list) else [])
    )
    return event_of(
        event_data(
            answers,
            event_id=f"{source.id}:{notice.lead}",
            type="ad_lead_submitted",
            occurred_at=lead.get("created_time") or notice.raw.get("created_time") or received_at,
            source=source.id,
            properties={name: said[name] for name in _ABOUT if said.get(name) not in (None, 0, "")},
            campaign={
                "source": "meta",
                "medium": "organic" if lead.get("is_organic") is True else "paid_social",
                "name": lead.get("campaign_name") or lead.get("campaign_id"),
                "content": lead.get("ad_name") or lead.get("ad_id"),
            },
            is_test=is_test,
        ),
        received_at,
    )


def _signer(body: bytes) -> Any:
    return lambda secret: "sha256=" + hmac.digest(secret, body, hashlib.sha256).hex()


def _list(of: Mapping[str, Any], name: str) -> list[Any]:
    found = of.get(name)
    return found if isinstance(found, list) else []
