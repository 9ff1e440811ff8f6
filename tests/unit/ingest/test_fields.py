from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import MarketingEvent
from services.ingest.fields import campaign_of_url, event_data, spread


@pytest.mark.parametrize("name", ["email", "E-Mail", "e_mail", "Work Email", "your-email", "EMAIL_ADDRESS"])
def test_an_email_is_found_by_its_usual_names(name: str) -> None:
    assert spread([(name, " ana@example.com ")])["subject"] == {"email": "ana@example.com"}


@pytest.mark.parametrize(
    ("name", "attribute"),
    [
        ("firstname", "first_name"),
        ("First Name", "first_name"),
        ("first-name", "first_name"),
        ("lname", "last_name"),
        ("Vorname", "first_name"),
        ("name", "full_name"),
        ("Job Title", "job_title"),
        ("company_name", "company"),
        ("Organisation", "company"),
        ("ZIP code", "postcode"),
        ("country/region", "country"),
    ],
)
def test_an_attribute_is_found_by_its_usual_spellings(name: str, attribute: str) -> None:
    assert spread([(name, "x")])["attributes"] == {attribute: "x"}


def test_utm_fields_and_click_ids_are_the_campaign() -> None:
    parts = spread([("utm_source", "google"), ("utm_medium", "cpc"), ("utm_campaign", "q1"), ("gclid", "c1")])

    assert parts["campaign"] == {"source": "google", "medium": "cpc", "name": "q1", "click_id": "c1"}


def test_other_fields_are_kept_under_their_own_names() -> None:
    parts = spread([("How did you hear of us?", "a friend"), ("topic", "a"), ("topic", "b"), ("topic", "c")])

    assert parts["properties"] == {"How did you hear of us?": "a friend", "topic": ["a", "b", "c"]}


def test_of_two_fields_with_one_meaning_the_first_counts_and_the_other_is_kept() -> None:
    parts = spread([("work_email", "ana@acme.com"), ("email", "ana@gmail.com")])

    assert parts["subject"] == {"email": "ana@acme.com"}
    assert parts["properties"] == {"email": "ana@gmail.com"}


def test_a_size_is_a_number_with_the_original_beside_it() -> None:
    parts = spread([("Company size", "51-200")])

    assert parts["attributes"] == {"employees": 51, "employees_as_given": "51-200"}


def test_a_ticked_box_is_a_word_of_consent_and_an_unticked_one_its_denial() -> None:
    parts = spread([("newsletter", "on"), ("consent_phone", "no"), ("consent.profiling", "yes")])

    assert {word["purpose"]: word["granted"] for word in parts["consent"]} == {
        "marketing_email": True,
        "phone": False,
        "profiling": True,
    }


def test_what_is_too_long_for_its_field_is_kept_beside_it() -> None:
    parts = spread([("email", "a" * 321), ("company", "b" * 1_001)])

    assert parts["subject"] == {}
    assert parts["attributes"] == {}
    assert parts["properties"] == {"email": "a" * 321, "company": "b" * 1_001}


def test_a_campaign_is_read_from_the_page_s_address() -> None:
    data = event_data(
        {"pageUri": "https://x.example/?utm_source=news&gclid=77", "email": "a@x.example"},
        event_id="1",
        type="t",
        occurred_at="2026-01-01T00:00:00Z",
        source="website",
    )

    assert data["campaign"] == {"source": "news", "click_id": "77"}


def test_an_address_of_a_page_may_be_broken() -> None:
    assert campaign_of_url("http://[broken?utm_source=x") == {}


values = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**63), st.floats(allow_nan=False, allow_infinity=False), st.text()
)
names = st.one_of(
    st.text(), st.sampled_from(["email", "phone", "company size", "utm_source", "consent_x", "name", "url"])
)


@given(st.lists(st.tuples(names, st.one_of(values, st.lists(values), st.dictionaries(st.text(), values)))))
def test_any_answers_make_an_event(pairs: list[tuple[str, Any]]) -> None:
    data = event_data(pairs, event_id="1", type="t", occurred_at="2026-01-01T00:00:00Z", source="website")

    assert MarketingEvent.model_validate(data).event_id == "1"
