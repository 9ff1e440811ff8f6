"""`sources.yaml`: who may send, and how it is verified."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import phonenumbers
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from rules.document import Document, validated
from rules.document import load as load_document
from rules.durations import Duration
from rules.faults import Fault, FaultyConfiguration
from services.ingest.kinds import KINDS, MAY_BE_UNSIGNED, NEEDS
from services.ingest.source import GRAPH_URL, LINKEDIN_URL, LINKEDIN_VERSION, Source, Sources

ENV = "env:"


def _region(text: str) -> str:
    if text not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError("is not a country code of two capital letters, such as US or DE")
    return text


def _reference(text: Any) -> str:
    if not isinstance(text, str) or not text.startswith(ENV) or len(text) == len(ENV):
        # The text itself is not repeated: it may be the secret.
        raise ValueError("a secret is never written in this file: name a variable, as in env:GOOGLE_LEADS_KEY")
    return text


def _origin(text: str) -> str:
    scheme, separator, rest = text.partition("://")
    if text != "*" and (scheme not in ("http", "https") or not separator or not rest or "/" in rest):
        raise ValueError("an origin is a scheme and a host without a path, such as https://www.example.com")
    return text.lower()


def _several(written: Any) -> Any:
    return written if isinstance(written, list) else [written]


# Checked before pydantic does, whose errors show what was written.
Reference = Annotated[str, BeforeValidator(_reference)]


class SourceEntry(BaseModel):
    """One entry of the file."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", description="named in events, metrics and URLs")
    kind: str = Field(description=f"how it speaks: {', '.join(KINDS)}")
    secrets: Annotated[list[Reference], BeforeValidator(_several)] = Field(
        default=[], description="env:NAME each; several while they are being changed"
    )
    verify_token: Reference | None = None
    access_token: Reference | None = None
    graph_url: str = Field(default=GRAPH_URL, pattern=r"^https?://[^/\s]+")
    linkedin_url: str = Field(default=LINKEDIN_URL, pattern=r"^https?://[^/\s]+")
    linkedin_version: str = Field(
        default=LINKEDIN_VERSION, pattern=r"^20\d{4}$", coerce_numbers_to_str=True, description="year and month"
    )
    unsigned: bool = False
    public_url: str | None = Field(default=None, pattern=r"^https?://[^/\s]+")
    origins: list[Annotated[str, AfterValidator(_origin)]] = Field(default=[], description="CORS")
    region: Annotated[str, AfterValidator(_region)] | None = None
    expect_every: Duration | None = None
    event: str | None = Field(default=None, min_length=1, max_length=512, description="type of a form's events")
    aliases: list[str] = Field(default=[], description="what a CloudEvent's `source` may say for it")


class SourcesFile(BaseModel):
    """The file."""

    model_config = ConfigDict(extra="forbid")

    sources: list[SourceEntry] = Field(min_length=1, description="who may send")


def load(path: Path, environ: Mapping[str, str] | None = None) -> Sources:
    """Read the file. Raises `FaultyConfiguration`; that a variable of `environ` is not set is a notice, no fault."""
    return parsed(load_document(path), os.environ if environ is None else environ)


def parsed(document: Document, environ: Mapping[str, str]) -> Sources:
    """The sources in a document. Raises `FaultyConfiguration`."""
    entries = validated(document, SourcesFile).sources
    faults = list(_faults(document, entries))
    if faults:
        raise FaultyConfiguration(faults)
    sources = tuple(_source(entry, environ) for entry in entries)
    return Sources(sources, tuple(_notices(document, sources)))


def _faults(document: Document, entries: list[SourceEntry]) -> Iterator[Fault]:
    seen: set[str] = set()
    for number, entry in enumerate(entries):
        loc: tuple[Any, ...] = ("sources", number)
        for name in (entry.id, *entry.aliases):
            if name in seen:
                yield document.fault((*loc, "id"), f"two sources are called `{name}`", "Give each its own id.")
            seen.add(name)
        if entry.kind not in KINDS:
            yield document.fault(
                (*loc, "kind"), f"`{entry.kind}` is no kind of source", f"Use one of {', '.join(KINDS)}."
            )
        if entry.unsigned and entry.kind not in MAY_BE_UNSIGNED:
            mend = f"Take it out: only {', '.join(MAY_BE_UNSIGNED)} may come without a signature."
            yield document.fault((*loc, "unsigned"), f"a source of kind `{entry.kind}` must be verified", mend)
        for need in NEEDS.get(entry.kind, ()):
            if not getattr(entry, need):
                reference = "[env:NAME]" if need == "secrets" else "env:NAME"
                mend = f"Add `{need}: {reference}` with the name of the variable that holds it."
                yield document.fault(loc, f"a source of kind `{entry.kind}` needs `{need}`", mend)


def _source(entry: SourceEntry, environ: Mapping[str, str]) -> Source:
    def value(reference: str | None) -> str | None:
        return environ.get(reference.removeprefix(ENV)) or None if reference else None

    named = [*entry.secrets, *filter(None, (entry.verify_token, entry.access_token))]
    return Source(
        id=entry.id,
        kind=entry.kind,
        secrets=tuple(filter(None, map(value, entry.secrets))),
        verify_token=value(entry.verify_token),
        access_token=value(entry.access_token),
        graph_url=entry.graph_url.rstrip("/"),
        linkedin_url=entry.linkedin_url.rstrip("/"),
        linkedin_version=entry.linkedin_version,
        unsigned=entry.unsigned,
        public_url=entry.public_url,
        origins=tuple(entry.origins),
        region=entry.region,
        expect_every=entry.expect_every,
        event=entry.event or "form_submitted",
        aliases=tuple(entry.aliases),
        closed=(bool(entry.secrets) and not any(map(value, entry.secrets)))
        or any(not value(getattr(entry, need)) for need in NEEDS.get(entry.kind, ()) if need != "secrets"),
        unset=tuple(reference.removeprefix(ENV) for reference in named if value(reference) is None),
    )


def _notices(document: Document, sources: tuple[Source, ...]) -> Iterator[Fault]:
    for number, source in enumerate(sources):
        unset, it = source.unset_words
        if source.closed:
            what, mend = f"source `{source.id}` is closed", f"Set {it} to open the source; nothing else is affected."
        elif source.unset:
            what, mend = f"source `{source.id}` lacks a part", f"Set {it}, or take {it} out of the file."
        else:
            continue
        yield document.fault(("sources", number), f"{what}: {unset} in the environment", mend)
