"""What speaks against an event: verdicts that rules may suppress or mark by. Pure; a verdict drops nothing."""

from __future__ import annotations

import re
from typing import Any

from schemas import MarketingEvent
from services.ingest import companies, contacts
from services.ingest.spellings import words

ROLES = words(
    """abuse accounting accounts admin administrator billing booking careers contact einkauf enquiries feedback finance
    hello help helpdesk hostmaster hr info information inquiries it jobs kontakt legal mail mailer-daemon marketing
    media news newsletter no-reply noreply office orders postmaster press privacy purchasing root sales security service
    shop staff support team webmaster"""
)
"""Local parts that belong to a desk, not to a person. Source: RFC 2142, and what is usual."""

HONEYPOTS = ("_gotcha", "honeypot", "_honeypot", "bot-field", "_hp")
"""Names of form fields that people do not see: who fills them is a program."""

_BOT = re.compile(
    r"bot\b|crawl|spider|slurp|headless|phantomjs|facebookexternalhit|scrapy|lighthouse|selenium|puppeteer|playwright",
    re.IGNORECASE,
)
"""Programs that read pages. HTTP libraries are not among them: servers send their forms on with those."""


def verdicts(event: MarketingEvent) -> list[str]:
    """Of a normalised event, in a fixed order: `test`, `bot`, `spam`, `disposable_email`, `role_address`."""
    found = []
    if event.is_test:
        found.append("test")
    if _is_bot(event.properties.get("user_agent")):
        found.append("bot")
    if any(event.properties.get(name) for name in HONEYPOTS):
        found.append("spam")
    email = event.subject.email
    if email:
        domain = contacts.domain_of(email)
        if domain in companies.DISPOSABLE or companies.registered_domain(domain) in companies.DISPOSABLE:
            found.append("disposable_email")
        if contacts.local_of(email) in ROLES:
            found.append("role_address")
    return found


def _is_bot(agent: Any) -> bool:
    return isinstance(agent, str) and _BOT.search(agent) is not None
