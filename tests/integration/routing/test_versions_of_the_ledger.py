"""A worker on tables of another version says so at its start."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from baton import provisioning
from baton.refusal import Refusal
from baton.settings import Settings
from services.routing.ledger import Ledger, behind, upgrade

pytestmark = pytest.mark.postgres


@pytest.mark.parametrize(("version", "found"), [("0004", "0004"), ("0005", None), ("9999", None)])
def test_tables_of_an_older_version_are_found_out(ledger: Ledger, database_url: str, version: str, found: str) -> None:
    """A newer version may be on its way: workers of this one go on beside it."""
    with ledger.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :version"), {"version": version})
    assert behind(database_url) == found


def test_a_worker_says_what_to_do(database_url: str) -> None:
    settings = Settings(database_url=database_url)
    with pytest.raises(Refusal, match="the ledger's tables are not there") as refused:
        provisioning.demand_tables(settings)
    assert "baton db upgrade" in refused.value.mend
    upgrade(database_url)
    assert provisioning.demand_tables(settings) == provisioning.database_url(settings)


def test_a_database_that_does_not_answer_is_waited_for() -> None:
    assert behind("postgresql://nobody@127.0.0.1:1/baton") is None
