"""HubSpot's CRM webhooks: what changed at a contact. They name the contact by its id alone.

Source: developers.hubspot.com, webhooks and validating requests: v3 is base64 HMAC-SHA256 over method, URI, body and
timestamp; v1, which subscriptions to CRM objects carry, is the hex SHA-256 of secret and body.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from schemas import MarketingEvent
from services.ingest import strict_json
from services.ingest.fields import event_data
from services.ingest.platforms.platform import Answer, Delivery, Parsed, check_fresh, check_signature, no_challenge
from services.ingest.reading import event_of
from services.ingest.refusal import Refused, refused
from services.ingest.source import Source

_TYPES = {"creation": "crm_contact_created", "propertyChange": "crm_contact_changed", "deletion": "crm_contact_deleted"}
_ABOUT = ("subscriptionType", "propertyName", "propertyValue", "changeSource", "portalId", "appId")


class Hubspot:
    """Kind `hubspot`."""

    needs = ("secrets",)

    def challenge(self, delivery: Delivery, source: Source) -> Answer:  # noqa: ARG002 the protocol's
        """HubSpot sends none."""
        raise no_challenge()

    def verify(self, delivery: Delivery, source: Source) -> None:
        """Check the signature of the version that is there, the later one first."""
        headers = delivery.headers
        timestamp = headers.get("x-hubspot-request-timestamp", "")
        signed = b"POST" + unquote(source.public_url or delivery.url).encode() + delivery.body + timestamp.encode()

        def sign_v3(secret: bytes) -> str:
            return base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()

        def sign_v1(secret: bytes) -> str:
            return hashlib.sha256(secret + delivery.body).hexdigest()

        if "x-hubspot-signature-v3" in headers:
            check_signature(headers["x-hubspot-signature-v3"], "X-HubSpot-Signature-v3", source, sign_v3)
            check_fresh(timestamp, "X-HubSpot-Request-Timestamp", delivery)
        else:
            check_signature(headers.get("x-hubspot-signature"), "X-HubSpot-Signature", source, sign_v1)

    def parse(self, delivery: Delivery, source: Source) -> Parsed:
        """An event for each change of a contact; those of companies and deals are passed over."""
        changes = strict_json.loads(delivery.body)
        if not isinstance(changes, list):
            raise refused("schema_violation", "", "is not an array", "Send HubSpot's webhook as it is")
        parsed = Parsed()
        for index, change in enumerate(changes):
            try:
                if not isinstance(change, dict) or not isinstance(change.get("subscriptionType"), str):
                    raise refused(
                        "schema_violation", "subscriptionType", "is missing", "Send HubSpot's webhook as it is"
                    )
                if change["subscriptionType"].startswith("contact."):
                    parsed.events.append(_event(change, source, delivery.received_at))
            except Refused as why:
                parsed.refused.append((index, why))
        return parsed


def _event(change: Mapping[str, Any], source: Source, received_at: datetime) -> MarketingEvent:
    occurred = change.get("occurredAt")
    contact = change.get("objectId")
    if not isinstance(contact, (int, str)) or not isinstance(occurred, int) or not 0 < occurred < 10**14:
        raise refused("schema_violation", "objectId", "or occurredAt is missing", "Send HubSpot's webhook as it is")
    action = change["subscriptionType"].partition(".")[2]
    answers = [("external_id", str(contact))]
    if isinstance(change.get("propertyName"), str) and isinstance(change.get("propertyValue"), str):
        answers.append((change["propertyName"], change["propertyValue"]))
    # The event's own id is no key alone: HubSpot sends 100 in all tests.
    parts = (source.id, change.get("subscriptionId"), change.get("eventId"), contact, occurred)
    data = event_data(
        answers,
        event_id=":".join(map(str, parts)),
        type=_TYPES.get(action, f"crm_contact_{action}"),
        occurred_at=datetime.fromtimestamp(occurred / 1000, UTC),
        source=source.id,
        properties={name: change.get(name) for name in _ABOUT},
    )
    return event_of(data, received_at)
