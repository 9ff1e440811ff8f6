"""`baton explain` and `baton route`: one lead, looked at closely."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from baton.cli.answers import Json, console, print_json


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command("explain")(explain)
    app.command("route")(route)


def explain(
    lead: Annotated[str, typer.Argument(help="Lead id, e-mail address, or phone number with its +.")],
    *,
    as_json: Json = False,
) -> None:
    """Where a lead is and why: what they did, points a rule, who got it and who might have. Exits 1 for nobody."""
    from baton.explain.dossier import gather
    from baton.explain.page import page
    from baton.provisioning import with_what_is_up
    from baton.settings import Settings

    dossier = gather(with_what_is_up(Settings()), lead)
    if as_json:
        print_json(dossier.document())
        return
    out = console()
    if not out.is_terminal:
        out.width = 140
    out.print(page(dossier))


def route(
    file: Annotated[Path, typer.Argument(help="ScoredLeads, one JSON object a line.")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Decide only; the only way there is so far.")] = False,
    as_json: Json = False,
) -> None:
    """Say where leads would go, one after the other, with everybody's standing at nothing."""
    from baton import dry_run as trying
    from baton.refusal import Refusal
    from baton.settings import Settings

    if not dry_run:
        raise Refusal("leads are routed by the routing worker", "To only ask, add --dry-run")
    decisions = trying.decide(file, Settings().config_dir)
    if as_json:
        print_json(decisions)
        return
    for one in decisions:
        where = f"{one['queue']} → {one['rep'] or 'nobody'}" if one["queue"] else "nobody gets it"
        typer.echo(f"{one['lead_id']}: {where} ({one['rule']}: {one['reason']})")
