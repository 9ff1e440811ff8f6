"""Who lives in the demo's world: companies and the people who work there. Pure: person `n` is always the same."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from random import Random

_STEMS = (
    *("Nordwind", "Bluefin", "Halden", "Corvus", "Tamarack", "Solano", "Vermeer", "Ostrava", "Kestrel", "Ardent"),
    *("Lumen", "Brightwater", "Cascade", "Delmar", "Everline", "Fairmont", "Granite", "Harbor", "Iberia", "Juniper"),
)
_TRADES = (
    *(("Logistics", "logistics"), ("Software", "software"), ("Foods", "food"), ("Health", "healthcare")),
    *(("Energy", "energy"), ("Textiles", "manufacturing"), ("Insurance", "insurance"), ("Media", "media")),
)
_COUNTRIES = ("DE", "DE", "FR", "GB", "GB", "US", "US", "US", "US", "CA", "NL", "SE", "ES", "BR", "IN", "AU")
_SIZES = (12, 35, 80, 140, 260, 450, 900, 1_800, 4_200, 12_000)
_FIRST = (
    *("Lena", "Jonas", "Amélie", "Hugo", "Olivia", "Arjun", "Maya", "Noah", "Sofía", "Mateo", "Freya", "Anders"),
    *("Chloé", "Ethan", "Priya", "Liam", "Zoë", "Tomás", "Ingrid", "Caleb", "Naomi", "Felix", "Ada", "Omar"),
)
_LAST = (
    *("Schmidt", "Laurent", "Walker", "Patel", "García", "Lindqvist", "Okafor", "Müller", "Rossi", "Nakamura"),
    *("Dubois", "Bennett", "Silva", "Novak", "Hughes", "Andersen", "Costa", "Fischer", "Moreau", "Reyes"),
)
_TITLES = (
    *("VP Sales", "Head of Marketing", "Chief Revenue Officer", "Director of Operations", "Head of Growth"),
    *("Marketing Manager", "Sales Operations Manager", "Demand Generation Manager", "Team Lead Sales"),
    *("Account Executive", "Marketing Specialist", "Business Analyst", "Office Manager", "Student", "Developer"),
)
_FREE_MAIL = 0.12
"""Share of people who write from a private address."""


@dataclass(frozen=True, slots=True)
class Company:
    """A company; its domain ends in .example, so nobody real gets mail."""

    name: str
    domain: str
    industry: str
    country: str
    employees: int


@dataclass(frozen=True, slots=True)
class Person:
    """A person: `number` is theirs alone, in every run."""

    number: int
    first_name: str
    last_name: str
    title: str
    company: Company
    email: str
    anonymous_id: str


COMPANIES = len(_STEMS) * len(_TRADES)


def company(number: int) -> Company:
    """Company `number`, from 0 to `COMPANIES` - 1."""
    stem = _STEMS[number % len(_STEMS)]
    trade, industry = _TRADES[number // len(_STEMS) % len(_TRADES)]
    chance = Random(f"company:{number}")
    return Company(
        f"{stem} {trade}",
        f"{stem}-{trade}.example".lower(),
        industry,
        chance.choice(_COUNTRIES),
        chance.choice(_SIZES),
    )


def person(seed: int, number: int) -> Person:
    """Person `number` of the world `seed`."""
    chance = Random(f"person:{seed}:{number}")
    first, last = chance.choice(_FIRST), chance.choice(_LAST)
    employer = company(chance.randrange(COMPANIES))
    private = chance.random() < _FREE_MAIL
    domain = chance.choice(("gmail.com", "outlook.com", "gmx.de")) if private else employer.domain
    return Person(
        number,
        first,
        last,
        chance.choice(_TITLES),
        employer,
        f"{_plain(first)}.{_plain(last)}.{number}@{domain}",
        f"c-{seed:x}-{number}",
    )


def _plain(name: str) -> str:
    """`name` as it stands in an address: lower case, without accents."""
    bare = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return bare.lower()
