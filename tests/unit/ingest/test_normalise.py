from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import MarketingEvent
from services.ingest.normalise import normalise

AT = datetime(2026, 9, 24, tzinfo=UTC)


def event_with(**parts: Any) -> MarketingEvent:
    return MarketingEvent.model_validate(
        {"event_id": "1", "type": "form_submitted", "occurred_at": AT, "source": "website", **parts}
    )


def attributes_of(**given_as: Any) -> dict[str, Any]:
    normal = normalise(event_with(attributes=given_as)).event
    return normal.attributes.model_dump(exclude_none=True)


def test_a_full_name_is_parted_and_parts_are_joined() -> None:
    assert attributes_of(full_name=" Zoë   Müller ") == {
        "full_name": "Zoë Müller",
        "first_name": "Zoë",
        "last_name": "Müller",
    }
    assert attributes_of(full_name="Müller, Zoë")["first_name"] == "Zoë"
    assert attributes_of(first_name="Zoë", last_name="Müller")["full_name"] == "Zoë Müller"


def test_letters_are_composed_so_that_one_name_is_one_text() -> None:
    decomposed, composed = "Zoe\u0308", "Zo\u00eb"

    assert attributes_of(company=decomposed)["company"] == composed


def test_an_unknown_country_is_kept_as_it_was_given() -> None:
    assert attributes_of(country="Atlantis") == {"country_as_given": "Atlantis"}
    assert attributes_of(country="Germany") == {"country": "DE"}


@pytest.mark.parametrize(
    ("parts", "domain"),
    [
        ({"subject": {"email": "a@mail.acme.co.uk"}}, "acme.co.uk"),
        ({"subject": {"email": "a@gmail.com"}}, None),
        ({"subject": {"email": "a@gmail.com"}, "attributes": {"website": "https://www.acme.com/x"}}, "acme.com"),
        ({"attributes": {"company_domain": "WWW.ACME.com", "website": "other.com"}}, "acme.com"),
        ({"subject": {"email": "a@acme.com"}, "attributes": {"website": "https://linkedin.com/acme"}}, "acme.com"),
    ],
)
def test_a_company_s_domain_comes_from_what_is_surest(parts: dict[str, Any], domain: str | None) -> None:
    assert domain == normalise(event_with(**parts)).event.attributes.company_domain


def test_a_number_is_read_by_the_person_s_country_then_by_the_source_s_region() -> None:
    german = event_with(subject={"phone": "040 123456"}, attributes={"country": "Germany"})
    american = event_with(subject={"phone": "212-555-0123"}, attributes={"country": "France"})

    assert normalise(german, "US").event.subject.phone == "+4940123456"
    assert normalise(american, "US").event.subject.phone == "+12125550123"


def test_a_bad_address_moves_beside_and_is_marked() -> None:
    normal, verdicts = normalise(event_with(subject={"email": "foo", "phone": "12", "anonymous_id": "c1"}))

    assert verdicts == ["invalid_email", "invalid_phone"]
    assert normal.subject.email is None
    assert normal.subject.phone is None
    assert (normal.attributes.model_extra or {}) == {"email_as_given": "foo", "phone_as_given": "12"}


@pytest.mark.parametrize("placeholder", ["null", "undefined", " NaN ", "0", "[object Object]", "  "])
def test_placeholders_of_broken_tags_are_no_ids(placeholder: str) -> None:
    normal = normalise(event_with(subject={"anonymous_id": placeholder, "external_id": placeholder})).event

    assert normal.subject.anonymous_id is None
    assert normal.subject.external_id is None


def test_path_and_campaign_are_read_from_the_page_s_address() -> None:
    normal = normalise(event_with(properties={"url": "https://x.example/pricing?utm_source=news"})).event

    assert normal.properties["path"] == "/pricing"
    assert normal.campaign.source == "news"


def test_unknown_fields_stay() -> None:
    normal = normalise(event_with(attributes={"favourite_colour": "blue"}, tracker="v2")).event

    assert (normal.attributes.model_extra or {})["favourite_colour"] == "blue"
    assert (normal.model_extra or {})["tracker"] == "v2"


texts = st.one_of(
    st.none(), st.text(max_size=40), st.sampled_from(["Müller, Zoë", "UK", "https://a.b.co.uk/x?y", "de"])
)
ids = st.one_of(st.none(), st.text(min_size=1, max_size=20))
attributes = st.fixed_dictionaries(
    dict.fromkeys(
        ("first_name", "last_name", "full_name", "company", "company_domain", "country", "website", "other"), texts
    )
)
subjects = st.fixed_dictionaries(
    {
        "email": st.one_of(st.none(), st.emails(), st.text(max_size=30)),
        "phone": st.one_of(st.none(), st.text("0123456789+ -()", max_size=20)),
        "anonymous_id": ids,
        "external_id": ids,
    }
)
properties = st.fixed_dictionaries({}, optional={"url": st.text(max_size=40), "path": st.text(max_size=9)})


@given(subjects, attributes, properties)
def test_to_normalise_twice_changes_nothing(
    subject: dict[str, Any], given_as: dict[str, Any], about: dict[str, Any]
) -> None:
    once = normalise(event_with(subject=subject, attributes=given_as, properties=about), "US").event

    assert once.to_json() == normalise(once, "US").event.to_json()


@given(subjects, attributes)
def test_what_is_normalised_still_fits_the_schema(subject: dict[str, Any], given_as: dict[str, Any]) -> None:
    normal = normalise(event_with(subject=subject, attributes=given_as), "US").event

    assert MarketingEvent.model_validate_json(normal.to_json()).event_id == "1"
