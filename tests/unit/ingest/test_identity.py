from __future__ import annotations

from datetime import UTC, datetime
from itertools import permutations
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import MarketingEvent, Subject
from services.ingest.identity import identify

ROOT = UUID("6f9b2f0e-5d0c-5b7a-9a51-0b1d7c5e8a11")
ALL = {"email": "ana@example.com", "phone": "+4940123456", "external_id": "42", "anonymous_id": "c-1"}
IDS = {
    "email": str(uuid5(ROOT, "lead:email:ana@example.com")),
    "phone": str(uuid5(ROOT, "lead:phone:+4940123456")),
    "external_id": str(uuid5(ROOT, "lead:external_id:website:42")),
    "anonymous_id": str(uuid5(ROOT, "lead:anonymous_id:c-1")),
}


def event_of(subject: dict[str, str], source: str = "website") -> MarketingEvent:
    return MarketingEvent(
        event_id="1",
        type="form_submitted",
        occurred_at=datetime(2026, 1, 1, tzinfo=UTC),
        source=source,
        subject=Subject.model_validate(subject),
    )


@pytest.mark.parametrize("missing", range(4))
def test_the_strongest_identifier_names_the_lead_and_the_weaker_ones_are_links(missing: int) -> None:
    kinds = list(ALL)[missing:]

    whose = identify(event_of({kind: ALL[kind] for kind in kinds}))

    assert whose is not None
    assert IDS[kinds[0]] == whose.lead_id
    assert kinds[0] == whose.identity.kind
    assert [IDS[kind] for kind in kinds[1:]] == whose.identity.links


def test_nobody_is_found_without_an_identifier() -> None:
    assert identify(event_of({})) is None


def test_a_source_s_own_id_is_another_person_at_another_source_and_a_cookie_is_not() -> None:
    def lead_of(subject: dict[str, str], source: str) -> str:
        whose = identify(event_of(subject, source))
        assert whose is not None
        return whose.lead_id

    assert lead_of({"external_id": "42"}, "shop") != lead_of({"external_id": "42"}, "website")
    assert lead_of({"anonymous_id": "c"}, "shop") == lead_of({"anonymous_id": "c"}, "website")


@given(st.sampled_from(list(permutations(ALL))), st.integers(1, 4))
def test_the_order_of_the_fields_does_not_matter(order: tuple[str, ...], count: int) -> None:
    kinds = order[:count]
    forwards = identify(event_of({kind: ALL[kind] for kind in kinds}))
    backwards = identify(event_of({kind: ALL[kind] for kind in reversed(kinds)}))

    assert forwards == backwards
