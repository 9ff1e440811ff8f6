from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest import contacts


@pytest.mark.parametrize(
    ("written", "uniform"),
    [
        ("Ana@Example.com", "ana@example.com"),
        ("  ana+Spring@example.com \n", "ana+spring@example.com"),
        ("mailto:ana@example.com", "ana@example.com"),
        ("<ana@example.com>", "ana@example.com"),
        ("zoë@müller.de", "zoë@müller.de"),
        ("try@acme.test", "try@acme.test"),
    ],
)
def test_an_address_is_written_in_one_way(written: str, uniform: str) -> None:
    assert uniform == contacts.email(written)


@pytest.mark.parametrize(
    "written", ["", "foo", "foo@bar", "@example.com", "a@b..com", "a b@example.com", "a@localhost"]
)
def test_what_is_no_address_is_none(written: str) -> None:
    assert contacts.email(written) is None


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("secret-name", "has no @"),
        ("secret-name@host", "has no full domain after the @"),
        ("@example.com", "has nothing before the @"),
        ("secret..name@example.com", "is not a valid address"),
        ("secret-name@example.com", ""),
    ],
)
def test_the_problem_of_an_address_is_told_without_the_address(written: str, problem: str) -> None:
    assert problem == contacts.email_problem(written)


@pytest.mark.parametrize(
    ("written", "region", "uniform"),
    [
        ("+49 (0)40 123456", None, "+4940123456"),
        ("040 123456", "DE", "+4940123456"),
        ("(650) 555-0199", "US", "+16505550199"),
        ("06 12 34 56 78", "FR", "+33612345678"),
        ("06 12 34 56 78", None, None),
        ("0000000000", "US", None),
        ("call me", "US", None),
        ("", "US", None),
    ],
)
def test_a_number_is_written_as_e164(written: str, region: str | None, uniform: str | None) -> None:
    assert uniform == contacts.phone(written, region)


@given(st.emails())
def test_an_address_made_uniform_twice_is_as_after_once(written: str) -> None:
    once = contacts.email(written)

    assert once is None or once == contacts.email(once)


@given(st.text(max_size=60))
def test_any_text_may_stand_where_an_address_or_number_is_expected(written: str) -> None:
    once = contacts.email(written)
    number = contacts.phone(written, "US")

    assert once is None or once == contacts.email(once)
    assert number is None or number == contacts.phone(number)
