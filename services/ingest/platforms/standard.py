"""Whoever signs as Standard Webhooks have it.

Source: standard-webhooks specification: headers `webhook-id`, `webhook-timestamp` (seconds), `webhook-signature` (`v1,`
and base64, several separated by spaces); payload `{type, timestamp, data}`. A `MarketingEvent` is taken as it is, too.
"""

from __future__ import annotations

import hmac
from datetime import UTC, datetime

from standardwebhooks import Webhook

from services.ingest import cloudevents, strict_json
from services.ingest.fields import event_data
from services.ingest.platforms.platform import Answer, Delivery, Parsed, check_fresh, no_challenge
from services.ingest.reading import event_of
from services.ingest.refusal import refused
from services.ingest.source import Source


class Standard:
    """Kind `standard`."""

    needs = ("secrets",)

    def challenge(self, delivery: Delivery, source: Source) -> Answer:  # noqa: ARG002 the protocol's
        """There is none."""
        raise no_challenge()

    def verify(self, delivery: Delivery, source: Source) -> None:
        """Check `webhook-signature`, and that it was made just now."""
        headers = delivery.headers
        timestamp = headers.get("webhook-timestamp", "")
        check_fresh(timestamp + "000", "webhook-timestamp", delivery)
        at = datetime.fromtimestamp(int(timestamp), UTC)
        given = [text.encode() for text in headers.get("webhook-signature", "").split()]
        try:
            body = delivery.body.decode()
            made = [Webhook(secret).sign(headers.get("webhook-id", ""), at, body) for secret in source.secrets]
        except UnicodeDecodeError:
            raise refused("invalid_json", "", "is not UTF-8", "Send valid JSON in UTF-8") from None
        except ValueError:
            mend = "Set the source's secret to whsec_ and base64"
            raise refused("source_closed", "source", f"the secret of `{source.id}` is not base64", mend) from None
        if not any(hmac.compare_digest(one, mine.encode()) for one in given for mine in made):
            mend = "Sign id.timestamp.body with the secret that the source in sources.yaml names"
            raise refused("bad_signature", "webhook-signature", "is missing or does not fit the body", mend)

    def parse(self, delivery: Delivery, source: Source) -> Parsed:
        """One event a delivery; its id is the `webhook-id`, which stays the same when it is sent again."""
        payload = strict_json.loads(delivery.body)
        if cloudevents.is_ours(payload):
            return Parsed(events=[event_of({**payload, "source": source.id}, delivery.received_at)])
        if not isinstance(payload, dict) or not isinstance(payload.get("data"), dict):
            raise refused("schema_violation", "data", "is not an object", "Send {type, timestamp, data}, or an event")
        data = event_data(
            payload["data"],
            event_id=f"{source.id}:{delivery.headers.get('webhook-id')}",
            type=cloudevents.type_of(str(payload.get("type") or "event")),
            occurred_at=payload.get("timestamp") or delivery.received_at,
            source=source.id,
        )
        return Parsed(events=[event_of(data, delivery.received_at)])
