import json
import shutil
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from baton import schema_files
from baton.cli import app
from schemas.record import Record


def test_the_committed_schemas_are_up_to_date() -> None:
    assert schema_files.stale(schema_files.DIRECTORY) == []


@pytest.mark.parametrize("record", schema_files.RECORDS, ids=lambda record: record.__name__)
def test_each_schema_is_valid_and_takes_the_examples_that_it_gives(record: type[Record]) -> None:
    document = json.loads(schema_files.documents()[schema_files._file_name(record)])

    Draft202012Validator.check_schema(document)
    for example in document.get("examples", []):
        Draft202012Validator(document).validate(example)


def test_a_changed_a_missing_and_a_left_over_file_are_each_stale(tmp_path: Path) -> None:
    shutil.copytree(schema_files.DIRECTORY, tmp_path, dirs_exist_ok=True)
    (tmp_path / "lead_event.v1.json").unlink()
    (tmp_path / "scored_lead.v1.json").write_text("{}")
    (tmp_path / "old.v1.json").write_text("{}")

    assert schema_files.stale(tmp_path) == ["lead_event.v1.json", "old.v1.json", "scored_lead.v1.json"]


def test_check_says_which_files_are_stale_and_exits_1(tmp_path: Path) -> None:
    runner = CliRunner()
    assert runner.invoke(app, ["export-schemas", str(tmp_path)]).exit_code == 0
    assert runner.invoke(app, ["export-schemas", "--check", str(tmp_path)]).exit_code == 0
    (tmp_path / "assignment.v1.json").write_text("{}")

    result = runner.invoke(app, ["export-schemas", "--check", str(tmp_path)])

    assert result.exit_code == 1
    assert "assignment.v1.json" in result.output
