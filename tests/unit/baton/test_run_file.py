import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from baton.refusal import Refusal
from baton.up import state


def running(data_dir: Path) -> state.Running:
    return state.Running(
        pid=os.getpid(),
        born=state.born(os.getpid()),
        collector="http://127.0.0.1:1",
        sales="http://127.0.0.1:2",
        kafka="127.0.0.1:3",
        database_url="postgresql+psycopg://u:secret@h/d",
        metrics=["http://127.0.0.1:4/metrics"],
        pids={"ingest": [1]},
        data_dir=str(data_dir),
    )


def test_other_commands_find_what_runs(tmp_path: Path) -> None:
    state.write(tmp_path, running(tmp_path))

    assert state.find(tmp_path) == running(tmp_path)


def test_only_its_owner_may_read_the_run_file(tmp_path: Path) -> None:
    state.write(tmp_path, running(tmp_path))

    assert stat.S_IMODE((tmp_path / state.FILE).stat().st_mode) == 0o600


def test_a_file_that_a_killed_process_left_counts_as_nothing(tmp_path: Path) -> None:
    state.write(tmp_path, replace(running(tmp_path), born=1.0))

    assert state.find(tmp_path) is None
    with pytest.raises(Refusal, match="nothing is up"):
        state.found(tmp_path)


def test_a_second_one_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    with state.only_one(tmp_path):
        state.write(tmp_path, running(tmp_path))
        with pytest.raises(Refusal, match=f"already up on .* {os.getpid()}"), state.only_one(tmp_path):
            pass
    with state.only_one(tmp_path):
        pass


def test_the_first_event_has_exactly_the_keys_of_the_contract(tmp_path: Path) -> None:
    keys = {"event", "collector", "sales", "kafka", "database_url", "metrics", "pids", "data_dir"}

    assert keys == set(running(tmp_path).ready_event())
