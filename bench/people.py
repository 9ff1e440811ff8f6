"""The people of the bench's world: a fixed number gives the same person every time."""

from __future__ import annotations

from random import Random
from typing import Any, NamedTuple

from schemas.ids import lead_id

FIRST = (
    "Ana",
    "Ben",
    "Carla",
    "David",
    "Elif",
    "Farid",
    "Greta",
    "Hugo",
    "Ines",
    "Jonas",
    "Klara",
    "Liam",
    "Mara",
    "Noah",
)
LAST = ("Keller", "Novak", "Silva", "Moreau", "Rossi", "Olsen", "Smith", "Haas", "Jensen", "Kaya", "Weber", "Brown")
TITLES = (
    "Head of Sales", "VP Marketing", "Chief Executive Officer", "Marketing Manager", "Revenue Operations Lead",
    "Director of Operations", "Software Engineer", "Working Student", "Account Executive", "Chief of Staff", "Founder",
    "Leiterin Vertrieb", "IT Manager", "Senior Data Analyst", "Office Assistant", "Head of Demand Generation",
)  # fmt: skip
INDUSTRIES = ("software", "internet", "banking", "insurance", "manufacturing", "retail", "education", "logistics")
COUNTRIES = ("DE", "US", "FR", "GB", "AT", "CH", "NL", "BR", "IN", "PL", "ES", "SE")
SIZES = (4, 12, 35, 80, 140, 420, 760, 1_200, 5_000, 22_000)
FREE = ("gmail.com", "yahoo.com", "gmx.de", "hotmail.com")
CAMPAIGNS = (
    {"source": "google", "medium": "cpc", "name": "autumn-brand", "term": "lead routing"},
    {"source": "linkedin", "medium": "paid-social", "name": "rev-ops-guide", "content": "carousel-2"},
    {"source": "newsletter", "medium": "email", "name": "september"},
    {"source": "google", "medium": "organic"},
)


class Person(NamedTuple):
    """Somebody, and what ingest knows of them."""

    lead: str
    subject: dict[str, str]
    attributes: dict[str, Any]
    campaign: dict[str, str]
    journey: int


def person(number: int, journeys: int) -> Person:
    """The person with this number; `journeys` is how many kinds of journey there are."""
    draw = Random(number)
    first, last, company = draw.choice(FIRST), draw.choice(LAST), f"company{draw.randrange(4_000)}"
    free = draw.random() < 0.25
    domain = draw.choice(FREE) if free else f"{company}.example"
    email = f"{first}.{last}.{number}@{domain}".lower()
    attributes: dict[str, Any] = {
        "first_name": first,
        "last_name": last,
        "full_name": f"{first} {last}",
        "job_title": draw.choice(TITLES),
        "company": company.title(),
        "company_domain": f"{company}.example",
        "employees": draw.choice(SIZES),
        "industry": draw.choice(INDUSTRIES),
        "country": draw.choice(COUNTRIES),
        "city": "Springfield",
        "language": "en",
    }
    if free:
        del attributes["company_domain"]
    phone = {"phone": f"+4930{draw.randrange(10**7):07d}"} if draw.random() < 0.5 else {}
    subject = {"email": email, **phone, "anonymous_id": f"c-{draw.getrandbits(64):016x}"}
    return Person(lead_id("email", email), subject, attributes, draw.choice(CAMPAIGNS), draw.randrange(journeys))
