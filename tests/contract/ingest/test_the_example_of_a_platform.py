from __future__ import annotations

import hashlib
import hmac
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services.ingest.platforms.platform import Delivery, Platform
from services.ingest.refusal import Refused
from services.ingest.source import Source

PAGE = Path(__file__).parents[3] / "docs" / "extending.md"
SOURCE = Source("bookings", "slotty", secrets=("s3cret",))
BODY = json.dumps(
    {"id": 9, "booked_at": "2026-09-24T08:42:10Z", "slot": "10:30", "guest": {"E-Mail": "a@b.com"}}
).encode()


@pytest.fixture
def slotty() -> Platform:
    """The platform that the page on extending shows, run as it stands there."""
    code = re.search(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert code is not None
    namespace: dict[str, Any] = {"__name__": "slotty"}
    exec(compile(code[1], str(PAGE), "exec"), namespace)
    found: Platform = namespace["Slotty"]()
    return found


def delivery(signature: str) -> Delivery:
    return Delivery(BODY, datetime(2026, 9, 25, tzinfo=UTC), {"x-slotty-signature": signature})


def test_the_platform_of_the_page_takes_what_is_signed(slotty: Platform) -> None:
    signed = delivery(hmac.new(b"s3cret", BODY, hashlib.sha256).hexdigest())

    slotty.verify(signed, SOURCE)
    (event,) = slotty.parse(signed, SOURCE).events

    assert (event.event_id, event.type, event.subject.email) == ("bookings:9", "meeting_booked", "a@b.com")
    assert event.properties == {"slot": "10:30"}


def test_the_platform_of_the_page_refuses_what_is_not(slotty: Platform) -> None:
    with pytest.raises(Refused) as caught:
        slotty.verify(delivery("00"), SOURCE)

    assert caught.value.reason == "bad_signature"
