from __future__ import annotations

from typing import Any

import pytest

from baton.settings import Settings
from baton.up.last_error import last_error
from baton.up.presenters import Presenter
from baton.up.run import Options, _House
from baton.up.stopping import Stopping
from streaming.faust.faults import EngineBroken
from streaming.faust.offsets import start_of

CRITICAL = '{"event": "routing: the stage ends: remove it", "level": "critical", "logger": "streaming.faust.engine"}'
WARNING = '{"event": "1 in 2", "level": "warning", "logger": "faust"}'


@pytest.mark.parametrize(
    ("log", "said"),
    [
        (f"{WARNING}\n{CRITICAL}\n{WARNING}", "routing: the stage ends: remove it"),
        ("baton: a.yaml:3: this is not YAML. Mend it.\n", "a.yaml:3: this is not YAML. Mend it."),
        (f'{CRITICAL}\n{{"event": "later\\nand more", "level": "error"}}', "later"),
        (f"{WARNING}\nTraceback (most recent call last):\n", ""),
        ('{"event": "cut', ""),
        ('{"level": "error"}', ""),
        ("", ""),
    ],
)
def test_the_last_error_of_a_log_is_found(log: str, said: str) -> None:
    assert last_error(log) == said


class Servers:
    """Embedded ones, or given ones."""

    def __init__(self, *, embedded: bool) -> None:
        self.embedded_broker = embedded


def house(*, embedded: bool) -> Any:
    servers: Any = Servers(embedded=embedded)
    presenter: Any = Presenter
    return _House(Settings(), Options({}), servers, presenter, Stopping(), set())


@pytest.mark.usefixtures("clean_environment")
def test_what_an_embedded_broker_lost_is_said_to_be_its_doing_with_the_mend() -> None:
    with pytest.raises(EngineBroken) as broken:
        start_of("leads.scored", 5, 3718, (0, 3717))
    log = f'{{"event": "routing: the stage ends: {broken.value}", "level": "critical"}}'
    folder = str(Settings().data_dir)

    assert f"stop Baton and delete its data folder, {folder}" in house(embedded=True)._why(log)
    assert "delete" not in house(embedded=False)._why(log).replace("do not delete them", "")
    assert "delete its" not in house(embedded=True)._why(CRITICAL)
