from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest import companies


@pytest.mark.parametrize(
    ("given_as", "domain"),
    [
        ("https://shop.acme.co.uk/about?x=1", "acme.co.uk"),
        ("WWW.Acme.com", "acme.com"),
        ("acme.example", "acme.example"),
        ("mail.acme.example", "acme.example"),
        ("localhost", None),
        ("127.0.0.1", None),
        ("", None),
    ],
)
def test_a_domain_is_cut_to_what_was_registered(given_as: str, domain: str | None) -> None:
    assert domain == companies.registered_domain(given_as)


@pytest.mark.parametrize("provider", ["gmail.com", "web.de", "mailinator.com"])
def test_an_address_with_a_provider_for_all_says_nothing_of_a_company(provider: str) -> None:
    assert companies.company_domain_of(provider) is None


def test_a_page_on_a_social_network_is_not_the_company_s_website() -> None:
    assert companies.domain_of_website("https://www.linkedin.com/company/acme") is None
    assert companies.domain_of_website("https://www.acme.com/about") == "acme.com"


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("de", "DE"),
        ("DEU", "DE"),
        (" germany ", "DE"),
        ("Deutschland", "DE"),
        ("United States", "US"),
        ("USA", "US"),
        ("UK", "GB"),
        ("Côte d'Ivoire", "CI"),
        ("Atlantis", None),
    ],
)
def test_a_country_becomes_its_two_letters(written: str, code: str | None) -> None:
    assert code == companies.country_code(written)


@pytest.mark.parametrize(
    ("written", "count"),
    [
        ("120", 120),
        ("51-200", 51),
        ("1,001–5,000 employees", 1001),
        ("1.001 - 5.000", 1001),
        ("10,000+", 10_000),
        ("5k-10k", 5_000),
        ("< 50", 1),
        ("less than 10", 1),
        ("more than 500", 500),
        ("just me", None),
        ("9" * 30, None),
        ("", None),
    ],
)
def test_a_range_of_employees_counts_from_its_lower_end(written: str, count: int | None) -> None:
    assert count == companies.employees_of(written)


@given(st.text(max_size=80))
def test_any_text_may_be_given_for_a_company(written: str) -> None:
    domain = companies.registered_domain(written)

    assert domain is None or domain == companies.registered_domain(domain)
    assert (companies.employees_of(written) or 0) >= 0
    assert companies.country_code(written) is None or len(companies.country_code(written) or "") == 2
