"""`baton failed replay`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from baton.cli.answers import Json, plain, print_json
from baton.cli.output import Unwritable
from baton.cli.selecting import Reason, Since, Stage, Until, selected, settings_of_what_is_up, why_nothing

if TYPE_CHECKING:
    from baton.replay import Plan
    from baton.settings import Settings

ASK_BEYOND = 20
"""So many records are replayed without a question."""


def replay(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="From `baton failed list`.")] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Every failed record.")] = False,
    stage: Stage = None,
    reason: Reason = None,
    since: Since = None,
    until: Until = None,
    edit: Annotated[
        Path | None, typer.Option(metavar="PATCH.json", help="Change each value first: a JSON patch (RFC 6902).")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Also those that were replayed before or overtaken.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be replayed, and send nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Send failed records to where they came from, once what was wrong is mended. Done twice, it counts once.

    Say which: ids, some of --stage, --reason, --since and --until, or --all. Ids are replayed again if need be.
    """
    from baton import patch, replay
    from baton.refusal import NO, Refusal

    some = any(one is not None for one in (stage, reason, since, until))
    if bool(ids) + every + some != 1:
        raise Refusal("say which records to replay", "Give ids, or --stage, --reason, --since, --until, or --all")
    selection = selected(stage, reason, since, until, ids or ())
    settings = settings_of_what_is_up()
    request = replay.Request(selection, patch.load(edit) if edit else None, again)
    plan = replay.plan(settings, request)
    if plan.faulty:
        _print_faults(plan)
        raise Refusal(f"{plan.faulty:,} records cannot be replayed so; nothing was sent", "Leave them out", NO)
    if not as_json:
        _print_plan(plan)
        if some and not plan.found:
            typer.echo(why_nothing(settings, selection))
    if dry_run:
        _print_result(plan, 0, as_json=as_json)
        return
    if plan.records > ASK_BEYOND and not yes and sys.stdin.isatty() and sys.stdout.isatty():
        typer.confirm(f"Replay {plan.records:,} records?", abort=True)
    done = _with_progress(settings, plan) if sys.stderr.isatty() else replay.replay(settings, plan)
    try:
        _print_result(plan, done, as_json=as_json)
    except Unwritable as why:
        raise Refusal(f"{why.message}; {done:,} records were replayed", why.mend) from why


def _print_plan(plan: Plan) -> None:

    for (stage, reason, topic), count in sorted(plan.groups.items()):
        typer.echo(f"{count:,} × {stage} {plain(reason)} → {plain(topic)}")
    if plan.left_out:
        typer.echo(f"{plan.left_out:,} were replayed before and are left out; --again takes them too")
    if plan.notices:
        typer.echo(f"{plan.notices:,} are left out, notices of a platform that make no event; --edit takes them too")
    if plan.failed_again:
        why = "a replay of the same record failed later, and goes in their place"
        typer.echo(f"{len(plan.failed_again):,} are left out, {why}")
    if plan.overtaken:
        why = "a newer record of the same lead has come since and tells all that they did"
        typer.echo(f"{len(plan.overtaken):,} are left out, {why}; --again takes them too")
    if plan.gone:
        why = "the ledger does not have the record of their note; is BATON_DATABASE_URL right?"
        typer.echo(f"{len(plan.gone):,} are left out: {why}")


def _print_faults(plan: Plan) -> None:
    for name, why in plan.faults:
        typer.echo(f"{name}: {why}", err=True)
    if len(plan.faults) < plan.faulty:
        typer.echo(f"and {plan.faulty - len(plan.faults):,} more", err=True)


def _print_result(plan: Plan, done: int, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "selected": plan.records,
                "replayed": done,
                "left_out": plan.left_out,
                "notices": plan.notices,
                "failed_again": sorted(plan.failed_again),
                "overtaken": sorted(plan.overtaken),
                "gone": sorted(plan.gone),
            }
        )
    elif done or plan.records:
        typer.echo(f"{done:,} of {plan.records:,} replayed")
    else:
        typer.echo("nothing to replay")


def _with_progress(settings: Settings, plan: Plan) -> int:
    """Replay with a bar on the terminal, by records that are safe."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from baton import replay

    columns = (TextColumn("replaying"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("replaying", total=plan.records)
        return replay.replay(settings, plan, lambda records: bar.advance(task, records))
