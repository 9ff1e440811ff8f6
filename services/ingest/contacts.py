"""E-mail addresses and phone numbers as people write them, made uniform. Pure: no DNS, no network."""

from __future__ import annotations

from functools import lru_cache

import phonenumbers
from email_validator import EmailNotValidError, validate_email

_CACHE = 20_000


@lru_cache(_CACHE)
def email(text: str) -> str | None:
    """The address in lower case, without what surrounds it; None where it is none. Plus-addresses are kept.

    Lower case throughout: RFC 5321 lets a host tell `Ana@` from `ana@`, none in use does, and people write both.
    """
    bare = text.strip().removeprefix("mailto:").strip("<> \t\r\n,;")
    try:
        # test_environment: takes the reserved domain .test, so that a set-up can be tried with it.
        return validate_email(bare, check_deliverability=False, test_environment=True).normalized.lower()
    except (EmailNotValidError, UnicodeError):
        return None


@lru_cache(_CACHE)
def email_problem(text: str) -> str:
    """What is wrong with an address, in words that do not repeat it; empty where nothing is."""
    if email(text) is not None:
        return ""
    local, at, domain = text.strip().rpartition("@")
    if not at:
        return "has no @"
    if not local:
        return "has nothing before the @"
    if "." not in domain:
        return "has no full domain after the @"
    return "is not a valid address"


@lru_cache(_CACHE)
def phone(text: str, region: str | None = None) -> str | None:
    """The number in E.164; None where it is none that is in use. `region` (alpha-2) is for numbers without a `+`."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def domain_of(address: str) -> str:
    """The part of a normalised address after the @."""
    return address.rpartition("@")[2]


def local_of(address: str) -> str:
    """The part of a normalised address before the @, without a plus-tag."""
    return address.rpartition("@")[0].partition("+")[0]
