"""A file a platform. To add one: write its file, and put it into this table."""

from __future__ import annotations

from collections.abc import Mapping

from services.ingest.platforms.google import Google
from services.ingest.platforms.meta import Meta
from services.ingest.platforms.platform import Platform
from services.ingest.platforms.typeform import Typeform

PLATFORMS: Mapping[str, Platform] = {"google": Google(), "meta": Meta(), "typeform": Typeform()}
