"""Google Ads lead forms.

Source: developers.google.com/google-ads/webhook/docs/implementation. There is no signature: `google_key` in the body is
the shared secret, and never goes further than this file.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from typing import Any

from services.ingest import strict_json
from services.ingest.fields import event_data
from services.ingest.platforms.platform import Answer, Delivery, Parsed, no_challenge
from services.ingest.reading import event_of
from services.ingest.refusal import refused
from services.ingest.source import Source

_ABOUT = ("form_id", "campaign_id", "adgroup_id", "creative_id", "asset_group_id", "lead_stage")
# Where both are given, the address at work says more of a lead.
_FIRST = ("WORK_EMAIL", "WORK_PHONE")


class Google:
    """Kind `google`."""

    needs = ("secrets",)

    def challenge(self, delivery: Delivery, source: Source) -> Answer:  # noqa: ARG002 the protocol's
        """Google sends none."""
        raise no_challenge()

    def verify(self, delivery: Delivery, source: Source) -> None:
        """Compare `google_key`."""
        key = _object(delivery).get("google_key")
        said = key.encode() if isinstance(key, str) else b""
        if not any(hmac.compare_digest(said, secret.encode()) for secret in source.secrets):
            raise refused(
                "bad_signature",
                "google_key",
                "is not the key of this source" if said else "is missing",
                "Give the lead form the key that the source in sources.yaml names",
            )

    def parse(self, delivery: Delivery, source: Source) -> Parsed:
        """One lead a delivery; its `lead_id` is unique over all forms."""
        lead = _object(delivery)
        lead_id = lead.get("lead_id")
        if not isinstance(lead_id, str) or not lead_id:
            raise refused("schema_violation", "lead_id", "is missing", "Send Google's lead form as it is")
        about = {name: lead[name] for name in _ABOUT if lead.get(name)}
        campaign = {
            "source": "google",
            "medium": "cpc",
            "name": lead.get("campaign_id"),
            "click_id": lead.get("gcl_id"),
        }
        data = event_data(
            _answers(lead),
            event_id=f"{source.id}:{lead_id}",
            type="ad_lead_submitted",
            occurred_at=lead.get("lead_submit_time") or delivery.received_at,
            source=source.id,
            properties=about,
            campaign=campaign,
            is_test=lead.get("is_test") is True,
        )
        return Parsed(events=[event_of(data, delivery.received_at)])


def _object(delivery: Delivery) -> Mapping[str, Any]:
    lead = strict_json.loads(delivery.body)
    if not isinstance(lead, dict):
        raise refused("schema_violation", "", "is not an object", "Send Google's lead form as it is")
    return lead


def _answers(lead: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    columns = lead.get("user_column_data")
    if not isinstance(columns, list):
        raise refused("schema_violation", "user_column_data", "is not an array", "Send Google's lead form as it is")
    answers = []
    for column in columns:
        if isinstance(column, dict) and isinstance(column.get("string_value"), str):
            name = column.get("column_id") or column.get("column_name")
            if isinstance(name, str):
                answers.append((name, column["string_value"]))
    yield from sorted(answers, key=lambda answer: answer[0] not in _FIRST)
