from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from schemas import MarketingEvent
from services.ingest.quality import verdicts


def verdicts_on(**parts: Any) -> list[str]:
    return verdicts(
        MarketingEvent.model_validate(
            {
                "event_id": "1",
                "type": "form_submitted",
                "occurred_at": datetime(2026, 1, 1, tzinfo=UTC),
                "source": "website",
                **parts,
            }
        )
    )


@pytest.mark.parametrize(
    ("parts", "found"),
    [
        ({"subject": {"email": "ana@acme.com"}}, []),
        ({"is_test": True}, ["test"]),
        ({"subject": {"email": "x@mailinator.com"}}, ["disposable_email"]),
        ({"subject": {"email": "x@eu.mailinator.com"}}, ["disposable_email"]),
        ({"subject": {"email": "info@acme.com"}}, ["role_address"]),
        ({"subject": {"email": "sales+eu@acme.com"}}, ["role_address"]),
        ({"subject": {"email": "salesman@acme.com"}}, []),
        ({"properties": {"user_agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"}}, ["bot"]),
        ({"properties": {"user_agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0"}}, []),
        ({"properties": {"user_agent": "curl/8.5.0"}}, []),
        ({"properties": {"_gotcha": "buy now"}}, ["spam"]),
        ({"is_test": True, "subject": {"email": "info@mailinator.com"}}, ["test", "disposable_email", "role_address"]),
    ],
)
def test_what_speaks_against_an_event_is_found(parts: dict[str, Any], found: list[str]) -> None:
    assert found == verdicts_on(**parts)
