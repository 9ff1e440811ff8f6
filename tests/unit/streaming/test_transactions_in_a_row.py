"""A transaction that follows another at once is refused while the markers of that one are written, and sent again."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from baton import transactions
from services.routing import outgoing
from streaming.client import KafkaAddress
from streaming.faust import settings
from streaming.faust.settings import EngineSettings

HOUSE = Path(__file__).parents[3]
NOWHERE = KafkaAddress.parse("nowhere")
MAKERS: dict[str, tuple[Any, Callable[[], Any]]] = {
    "streaming/faust/settings.py": (
        settings,
        lambda: EngineSettings(bootstrap=NOWHERE.bootstrap, group="g").transactional_producer("name"),
    ),
    "services/routing/outgoing.py": (outgoing, lambda: outgoing.KafkaPublisher(NOWHERE, "name", "", "ledger")),
    "baton/transactions.py": (transactions, lambda: transactions.Outbound(NOWHERE, "name")),
}
"""Whoever makes a transactional producer: the module, and how it does so."""


@pytest.mark.parametrize("maker", MAKERS)
def test_no_transactional_producer_waits_long_for_the_markers_of_its_last_transaction(
    maker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Less than 10 ms gains nothing (1 or 2 once cost a second at 5,000 records/s); librdkafka's default is 100."""
    told: list[dict[str, Any]] = []
    module, make = MAKERS[maker]
    monkeypatch.setattr(module, "Producer", told.append)
    monkeypatch.setattr(EngineSettings, "offset_reader", lambda *_: None)
    make()

    [config] = told
    assert config["transactional.id"] == "name"
    assert config["retry.backoff.ms"] == 10
    assert config["retry.backoff.max.ms"] == 100


def test_there_are_no_other_makers_than_these() -> None:
    files = [
        file for room in ("schemas", "rules", "streaming", "services", "baton") for file in (HOUSE / room).rglob("*.py")
    ]
    makers = {file for file in files if re.search(r'"transactional\.id":|\btransactional_id=', file.read_text())}

    assert {file.relative_to(HOUSE).as_posix() for file in makers} == set(MAKERS)
