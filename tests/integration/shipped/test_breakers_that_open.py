"""Too much that fails stops each of the three stages as they ship, which say why and go on as they are told to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest

from tests.faults.workers import ROOT
from tests.integration.shipped.stages import PARTITIONS, PEOPLE, RUBBISH, WAIT, Shipped
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.real_kafka, pytest.mark.postgres, pytest.mark.timeout(300)]

ROW, SHARE = 5, 20
"""Records in a row, and of the last thousand, at which a stage stops here."""
LIMITS = {"BATON_BREAKER_CONSECUTIVE": str(ROW), "BATON_BREAKER_SHARE": str(SHARE / 1_000)}
BURST = 30
BY_HAND, EVERY_SECONDS = "0", "1"
LETS_NOBODY_IN = """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a bad deploy'; END $$;
    CREATE TRIGGER refuse BEFORE INSERT ON assignments EXECUTE FUNCTION refuse();
"""


def begin(shipped: dict[str, Shipped], resume: str) -> None:
    for one in shipped.values():
        one.start(**LIMITS, BATON_BREAKER_RESUME=resume)
        one.give(PEOPLE)
    for one in shipped.values():
        one.settled()
        until(one.is_ready, WAIT, f"{one.name} to be ready", every=0.2)


def stopped(one: Shipped, because: str) -> str:
    """Why it says that it stands still, once it does for this reason."""

    def why() -> str:
        status, said = one.readiness()
        told = said.get(f"{one.name}.breaker", "")
        return told if status == 503 and told.startswith(because) else ""

    return until(why, WAIT, f"{one.name} to stop", every=0.2)


def resume(shipped: dict[str, Shipped], *more: str) -> Iterator[tuple[Shipped, int, dict[str, str]]]:
    """Of each stage, told all at once: the command's exit code, and what it says of the worker."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    commands = {
        one.name: subprocess.Popen(
            [sys.executable, "-m", "baton", "resume", one.name, "--json", "--url", one.urls["one"], *more],
            env=environment,
            stdout=subprocess.PIPE,
        )
        for one in shipped.values()
    }
    for name, command in commands.items():
        said, _ = command.communicate(timeout=WAIT)
        [told] = json.loads(said)
        yield shipped[name], command.returncode, told


def test_an_operator_brings_each_stage_past_a_burst_of_what_nobody_can_read(shipped: dict[str, Shipped]) -> None:
    begin(shipped, BY_HAND)
    before = PEOPLE // PARTITIONS
    for one in shipped.values():
        one.give_rubbish(BURST)
        one.give(PEOPLE)
    for one in shipped.values():
        why = stopped(one, f"{ROW} records in a row failed (invalid_json × ")
        assert why.endswith("; waits for an operator")
        assert one.done()[0] - before == len(one.failed()) < ROW
        assert one.committed()[0] - before < ROW
    for one, code, said in resume(shipped):
        assert code == 1
        assert said["stood_still"].startswith(f"{ROW} records in a row failed")
        assert said["still"].startswith(f"{ROW} records in a row failed")
        assert one.done()[0] - before == len(one.failed()) < 2 * ROW
    for _, code, said in resume(shipped, "--let-fail", str(BURST)):
        assert (code, said["still"]) == (0, "")
    for one in shipped.values():
        one.settled()
        until(one.is_ready, WAIT, f"{one.name} to be ready", every=0.2)
    for _, code, said in resume(shipped):  # what is left of the allowance is taken back
        assert (code, said["stood_still"], said["still"]) == (0, "", "")

    at = {name: one.done()[0] for name, one in shipped.items()}
    for one in shipped.values():
        one.give_rubbish(BURST, between=True)
    for one in shipped.values():
        stopped(one, f"{SHARE} of the last 1000 records failed (invalid_json × ")
        assert one.done()[0] - at[one.name] < 2 * SHARE
    for _, code, said in resume(shipped, "--let-fail", str(BURST)):
        assert (code, said["still"]) == (0, "")
    for one in shipped.values():
        one.settled()
        failed = one.failed()
        assert [seen.raw for seen in failed] == [RUBBISH] * one.rubbish
        assert one.violations() == []


def test_each_stage_goes_on_by_itself_once_what_failed_its_records_is_mended(shipped: dict[str, Shipped]) -> None:
    begin(shipped, EVERY_SECONDS)
    with psycopg.connect(shipped["routing"].servers.database, autocommit=True) as connection:
        for name in ("ingest", "scoring"):
            shipped[name].limit_output(100)
        connection.execute(LETS_NOBODY_IN)
        for one in shipped.values():
            one.give(PEOPLE)
        for one in shipped.values():
            reason = "handler_error" if one.name == "routing" else "too_large"
            why = stopped(one, f"{ROW} records in a row failed ({reason} × ")
            assert why.endswith(f"; tries again every {EVERY_SECONDS} s")
        stood = {name: sum(one.done().values()) for name, one in shipped.items()}
        assert all(PEOPLE <= at < PEOPLE + ROW for at in stood.values()), stood
        for name in ("ingest", "scoring"):
            shipped[name].limit_output(1_000_000)
        connection.execute("DROP TRIGGER refuse ON assignments")
    for one in shipped.values():
        one.settled()
        until(one.is_ready, WAIT, f"{one.name} to be ready", every=0.2)
        assert len(one.failed()) < ROW
        assert one.violations() == []
