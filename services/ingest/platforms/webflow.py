"""Webflow form submissions.

Source: Webflow, webhooks: `x-webflow-signature` is the hex HMAC-SHA256 over `timestamp:body`, the timestamp (ms) stands
in `x-webflow-timestamp`.
"""

from __future__ import annotations

import hashlib
import hmac

from services.ingest import strict_json
from services.ingest.fields import event_data
from services.ingest.platforms.platform import Answer, Delivery, Parsed, check_fresh, check_signature, no_challenge
from services.ingest.reading import event_of
from services.ingest.refusal import refused
from services.ingest.source import Source


class Webflow:
    """Kind `webflow`."""

    needs = ("secrets",)

    def challenge(self, delivery: Delivery, source: Source) -> Answer:  # noqa: ARG002 the protocol's
        """Webflow sends none."""
        raise no_challenge()

    def verify(self, delivery: Delivery, source: Source) -> None:
        """Check `x-webflow-signature`, and that it was made just now."""
        timestamp = delivery.headers.get("x-webflow-timestamp")
        signed = (timestamp or "").encode() + b":" + delivery.body

        def sign(secret: bytes) -> str:
            return hmac.digest(secret, signed, hashlib.sha256).hex()

        check_signature(delivery.headers.get("x-webflow-signature"), "x-webflow-signature", source, sign)
        check_fresh(timestamp, "x-webflow-timestamp", delivery)

    def parse(self, delivery: Delivery, source: Source) -> Parsed:
        """One submission a delivery; other triggers are passed over."""
        envelope = strict_json.loads(delivery.body)
        if not isinstance(envelope, dict) or not isinstance(envelope.get("payload"), dict):
            raise refused("schema_violation", "payload", "is not an object", "Send Webflow's webhook as it is")
        if envelope.get("triggerType") != "form_submission":
            return Parsed()
        form = envelope["payload"]
        if not isinstance(form.get("data"), dict) or not isinstance(form.get("id"), str):
            raise refused("schema_violation", "payload.data", "or its id is missing", "Send Webflow's webhook as it is")
        data = event_data(
            form["data"],
            event_id=f"{source.id}:{form['id']}",
            type="form_submitted",
            occurred_at=form.get("submittedAt") or delivery.received_at,
            source=source.id,
            properties={"form_name": form.get("name"), "form_id": form.get("formId"), "site_id": form.get("siteId")},
        )
        return Parsed(events=[event_of(data, delivery.received_at)])
