"""The JSON Schemas of the records, as files: for those who produce or read Baton's topics in other languages."""

from __future__ import annotations

import json
import re
from pathlib import Path

import schemas
from schemas.record import SCHEMA_VERSION, Record

DIRECTORY = Path(schemas.__file__).parent / "json"
RECORDS: tuple[type[Record], ...] = (
    schemas.MarketingEvent,
    schemas.LeadEvent,
    schemas.ScoredLead,
    schemas.RoutedLead,
    schemas.Assignment,
    schemas.SalesOutcome,
    schemas.MarketingFeedback,
)


def documents() -> dict[str, str]:
    """File name to text of each record's JSON Schema (2020-12)."""
    return {_file_name(record): _document(record) for record in RECORDS}


def export(directory: Path) -> list[Path]:
    """Write all files; returns their paths."""
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in documents().items():
        path = directory / name
        path.write_text(text)
        written.append(path)
    return written


def stale(directory: Path) -> list[str]:
    """Names of files that are missing, differ from what would be written, or belong to no record any more."""
    wanted = documents()
    found = {path.name: path.read_text() for path in directory.glob("*.json")} if directory.is_dir() else {}
    return sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))


def _file_name(record: type[Record]) -> str:
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", record.__name__).lower()
    return f"{name}.v{SCHEMA_VERSION}.json"


def _document(record: type[Record]) -> str:
    schema = record.model_json_schema(by_alias=True)
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": record.ce_type}
    return json.dumps(head | schema, indent=2, ensure_ascii=False) + "\n"
