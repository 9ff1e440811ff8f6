"""`baton failed replay`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from baton.cli.answers import Json, plain, print_json
from baton.cli.output import Unwritable
from baton.cli.selecting import Reason, Since, Stage, Until, selected, settings_of_what_is_up, why_nothing
from baton.counting import counted

if TYPE_CHECKING:
    from collections.abc import Callable

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
    ways = [way for way, given in (("--all", every), ("ids", bool(ids)), ("filters", some)) if given]
    if not ways:
        raise Refusal("say which records to replay", "Give ids, or --stage, --reason, --since, --until, or --all")
    if len(ways) > 1:
        raise Refusal(f"say which records once: {' and '.join(ways)} are given", f"Give either {' or '.join(ways)}")
    selection = selected(stage, reason, since, until, ids or ())
    settings = settings_of_what_is_up()
    request = replay.Request(selection, patch.load(edit) if edit else None, again)
    plan = replay.plan(settings, request)
    if plan.faulty:
        _print_faults(plan)
        which = counted(plan.faulty, "record", "records")
        mend = "Leave it out" if plan.faulty == 1 else "Leave them out"
        raise Refusal(f"{which} cannot be replayed so; nothing was sent", mend, NO)
    if not as_json:
        _print_plan(plan)
        if some and not plan.found:
            typer.echo(why_nothing(settings, selection))
    if dry_run:
        _print_result(plan, None, as_json=as_json)
        return
    if plan.records > ASK_BEYOND and not yes and sys.stdin.isatty() and sys.stdout.isatty():
        typer.confirm(f"Replay {plan.records:,} records?", abort=True)
    done = _replay(settings, plan)
    try:
        _print_result(plan, done, as_json=as_json)
    except Unwritable as why:
        raise Refusal(f"{why.message}; {counted(done, 'record was', 'records were')} replayed", why.mend) from why


def _print_plan(plan: Plan) -> None:
    for (stage, reason, topic), count in sorted(plan.groups.items()):
        typer.echo(f"{count:,} × {stage} {plain(reason)} → {plain(topic)}")
    for number, one, several in (
        (
            plan.left_out,
            "was replayed before and is left out; --again takes it too",
            "were replayed before and are left out; --again takes them too",
        ),
        (
            plan.notices,
            "is left out, a notice of a platform that makes no event; --edit takes it too",
            "are left out, notices of a platform that make no event; --edit takes them too",
        ),
        (
            len(plan.failed_again),
            "is left out, a replay of the same record failed later, and goes in its place",
            "are left out, a replay of the same record failed later, and goes in their place",
        ),
        (
            len(plan.overtaken),
            "is left out, a newer record of the same lead tells all that it did; --again takes it too",
            "are left out, newer records of the same leads tell all that they did; --again takes them too",
        ),
        (
            len(plan.gone),
            "is left out: the ledger does not have the record of its note; is BATON_DATABASE_URL right?",
            "are left out: the ledger does not have the records of their notes; is BATON_DATABASE_URL right?",
        ),
    ):
        if number:
            typer.echo(counted(number, one, several))


def _print_faults(plan: Plan) -> None:
    for name, why in plan.faults:
        typer.echo(f"{name}: {why}", err=True)
    if len(plan.faults) < plan.faulty:
        typer.echo(f"and {plan.faulty - len(plan.faults):,} more", err=True)


def _print_result(plan: Plan, done: int | None, *, as_json: bool) -> None:
    """`done`: how many were replayed; None where it was not tried."""
    if as_json:
        print_json(
            {
                "selected": plan.records,
                "replayed": done or 0,
                "left_out": plan.left_out,
                "notices": plan.notices,
                "failed_again": sorted(plan.failed_again),
                "overtaken": sorted(plan.overtaken),
                "gone": sorted(plan.gone),
            }
        )
    elif not done and not plan.records:
        typer.echo("nothing to replay")
    elif done is None:
        typer.echo(f"{plan.records:,} would be replayed")
    else:
        typer.echo(f"{done:,} of {plan.records:,} replayed")


def _replay(settings: Settings, plan: Plan) -> int:
    """Replay; who interrupts it (Ctrl-C) hears how many records are safe."""
    from baton import replay

    safe = 0

    def count(records: int) -> None:
        nonlocal safe
        safe += records

    try:
        if sys.stderr.isatty():
            return _with_progress(settings, plan, count)
        return replay.replay(settings, plan, count)
    except KeyboardInterrupt:
        were = counted(safe, "record was", "records were")
        typer.echo(f"{were} replayed and noted, of {plan.records:,}; run it again for the rest", err=True)
        raise


def _with_progress(settings: Settings, plan: Plan, count: Callable[[int], None]) -> int:
    """Replay with a bar on the terminal, by records that are safe, and `count` these."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from baton import replay

    columns = (TextColumn("replaying"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("replaying", total=plan.records)

        def advance(records: int) -> None:
            count(records)
            bar.advance(task, records)

        return replay.replay(settings, plan, advance)
