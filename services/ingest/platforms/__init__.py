"""A file a platform. To add one: write its file, and put it into this table."""

from __future__ import annotations

from collections.abc import Mapping

from services.ingest.platforms.google import Google
from services.ingest.platforms.hubspot import Hubspot
from services.ingest.platforms.linkedin import Linkedin
from services.ingest.platforms.meta import Meta
from services.ingest.platforms.platform import Platform
from services.ingest.platforms.segment import Segment
from services.ingest.platforms.standard import Standard
from services.ingest.platforms.tiktok import Tiktok
from services.ingest.platforms.typeform import Typeform
from services.ingest.platforms.webflow import Webflow

PLATFORMS: Mapping[str, Platform] = {
    "google": Google(),
    "meta": Meta(),
    "linkedin": Linkedin(),
    "tiktok": Tiktok(),
    "typeform": Typeform(),
    "hubspot": Hubspot(),
    "segment": Segment(),
    "webflow": Webflow(),
    "standard": Standard(),
}
