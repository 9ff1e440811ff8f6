"""`baton topics apply`, `baton db upgrade`, `baton roster apply`: what must be there before a worker starts."""

from __future__ import annotations

import typer

from baton.cli.answers import Json, print_json


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    for name, words, commands in (
        ("topics", "Kafka's topics.", {"apply": topics_apply}),
        ("db", "The ledger's tables in PostgreSQL.", {"upgrade": db_upgrade}),
        ("roster", "The people of sales.", {"apply": roster_apply}),
    ):
        group = typer.Typer(help=words, no_args_is_help=True, rich_markup_mode=None)
        for verb, command in commands.items():
            group.command(verb)(command)
        app.add_typer(group, name=name)


def topics_apply(*, as_json: Json = False) -> None:
    """Create missing topics and change settings that differ; never a topic's number of partitions."""
    from dataclasses import asdict

    from baton import provisioning
    from baton.settings import Settings

    settings = provisioning.with_what_is_up(Settings())
    changes = provisioning.apply_topics(settings, provisioning.queues_of(settings.config_dir))
    if as_json:
        print_json([asdict(change) for change in changes])
        return
    for change in changes:
        typer.echo(f"{change.topic}: {change.kind.replace('_', ' ')} ({change.detail})")
    if not changes:
        typer.echo("all topics are as they should be")


def db_upgrade(*, as_json: Json = False) -> None:
    """Bring the ledger's tables to this version."""
    from baton import provisioning
    from baton.settings import Settings

    provisioning.upgrade_database(provisioning.with_what_is_up(Settings()))
    if as_json:
        print_json({"up_to_date": True})
    else:
        typer.echo("the ledger's tables are up to date")


def roster_apply(*, as_json: Json = False) -> None:
    """Take roster.yaml over into the database."""
    from baton import provisioning
    from baton.settings import Settings

    result = provisioning.apply_roster(provisioning.with_what_is_up(Settings()))
    if as_json:
        print_json(result)
    else:
        known = "" if result["new"] else ", as it was before"
        typer.echo(f"the roster has {result['reps']} reps (hash {result['roster_hash']}){known}")
