"""The page about a lead, as text. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from baton.counting import counted
from baton.explain.decision import assignment, standing
from baton.explain.dossier import Dossier
from baton.explain.layout import heading, indented, moment, table


def page(dossier: Dossier) -> RenderableType:
    """The whole page."""
    ledger = dossier.ledger or {}
    parts: list[RenderableType] = [*_who(dossier), *_where(dossier), *_did(dossier.events)]
    if dossier.unreadable:
        skipped = counted(dossier.unreadable, "record", "records")
        parts.append(Text(f"{skipped} with its key left out: not readable", style="yellow"))
    if dossier.score:
        parts += _worth(dossier.score)
        parts += _became(dossier)
    else:
        parts.append(Text("Not scored yet: scoring has not come to its events.", style="yellow"))
    for one in ledger.get("assignments", []):
        parts += assignment(one)
    parts += _answers(ledger.get("outcomes", []))
    return Group(*parts)


def _who(dossier: Dossier) -> Iterator[RenderableType]:
    score = dossier.score
    person = score.get("person") or _known_from_events(dossier.events)
    name = person.get("full_name") or " ".join(str(person[k]) for k in ("first_name", "last_name") if person.get(k))
    work = ", ".join(str(person[key]) for key in ("job_title", "company") if person.get(key))
    yield Text.assemble((name or "Somebody whose name is not known", "bold"), f" — {work}" if work else "")
    keys = ("email", "phone", "country", "employees", "industry", "company_domain", "seniority", "function")
    known = [f"{key.replace('_', ' ')} {person[key]}" for key in keys if person.get(key) not in (None, "")]
    if known:
        yield Text("; ".join(known))
    consent = [f"{purpose}: {'yes' if given else 'no'}" for purpose, given in (score.get("consent") or {}).items()]
    for title, values in (("segments", score.get("segments")), ("quality", score.get("quality")), ("consent", consent)):
        if values:
            yield Text(f"{title}: {', '.join(map(str, values))}")
    yield Text(f"lead {dossier.lead_id}", style="dim")


def _known_from_events(events: list[dict[str, Any]]) -> dict[str, Any]:
    known: dict[str, Any] = {}
    for one in events:
        known |= one["event"].get("subject", {}) | one["event"].get("attributes", {})
    return known


def _where(dossier: Dossier) -> Iterator[RenderableType]:
    yield heading("Where it is now")
    if dossier.ledger is None and dossier.score:
        yield Text("Scored, and on its way: routing has not taken it yet.", style="green")
    else:
        yield Text(standing(dossier.ledger or {}), style="green")


def _did(events: list[dict[str, Any]]) -> Iterator[RenderableType]:
    yield heading(f"What they did ({counted(len(events), 'event', 'events')}, times in UTC)")
    rows = table("when", "what", "where", "from")
    for one in events:
        event = one["event"]
        properties, campaign = event.get("properties", {}), event.get("campaign", {})
        where = next((properties[k] for k in ("path", "title", "content", "form_id", "url") if properties.get(k)), "")
        came = " / ".join(str(campaign[key]) for key in ("source", "medium", "name") if campaign.get(key))
        what = str(event["type"]).replace("_", " ") + (" (test)" if event.get("is_test") else "")
        rows.add_row(moment(event["occurred_at"]), what, Text(str(where)), Text(came or str(event["source"])))
    yield indented(rows)


def _worth(score: Mapping[str, Any]) -> Iterator[RenderableType]:
    yield heading(f"What it is worth: grade {score['grade']}, stage {score['stage']}, as of {moment(score['as_of'])}")
    rows = table("points", "of", "rule", "because", numbers=("points", "of"))
    titles = {"fit": "fit: who they are", "engagement": "engagement: what they did", "model": "model"}
    for kind, title in titles.items():
        lines = [line for line in score.get("explanation", []) if line["kind"] == kind]
        if kind != "model" or lines:
            rows.add_row(Text(f"{score.get(kind, 0):g}", style="bold"), "", Text(title, style="bold"), "")
        for line in lines:
            aged = f"{line['from_points']:g}" if line["from_points"] != line["points"] else ""
            rows.add_row(f"{line['points']:+g}", aged, line["rule"], Text(line.get("detail", "")))
    yield indented(rows)
    yield Text(f"  rules {str(score['rules_hash'])[:12]}; “of” is what it was worth when it was new", style="dim")


def _became(dossier: Dossier) -> Iterator[RenderableType]:
    yield heading("How it came to its stage")
    for one in dossier.transitions:
        yield Text(f"  {moment(one['at'])}  {one['from']} → {one['to']}: {one['reason']}")
    if not dossier.transitions:
        yield Text(f"  it is an {dossier.score['stage']}; nothing has made more of it yet")


def _answers(outcomes: list[dict[str, Any]]) -> Iterator[RenderableType]:
    if outcomes:
        yield heading("What sales said")
    for one in outcomes:
        worth = f", {one['value']:g} {one.get('currency', '')}" if one.get("value") is not None else ""
        reason = f": {one['reason']}" if one.get("reason") else ""
        yield Text(f"  {moment(one['occurred_at'])}  {one['kind'].replace('_', ' ')}{worth}{reason}")
