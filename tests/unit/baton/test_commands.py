import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from baton.cli import app
from baton.embedded.ports import free_port
from baton.refusal import Refusal
from baton.settings import Settings
from baton.up import plan

CONFIG = Path(__file__).parents[3] / "config"
pytestmark = pytest.mark.usefixtures("clean_environment")


def run(*args: str) -> Result:
    return CliRunner().invoke(app, list(args))


def test_help_lists_the_commands_and_needs_nothing_heavy() -> None:
    names = ("up", "status", "send", "explain", "failed", "check", "doctor", "lag", "topics", "db", "roster", "routing")
    code = "import sys; import baton.cli; print('\\n'.join(sys.modules))"

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    assert {name for name in names if name not in run("--help").output} == set()
    assert set(loaded) & {"faust", "sqlalchemy", "confluent_kafka", "kafka", "pydantic", "httpx", "starlette"} == set()


def test_an_unknown_command_is_wrong_use() -> None:
    result = run("hand-off")

    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_a_good_configuration_has_no_faults_and_shows_every_setting() -> None:
    result = run("check")

    assert result.exit_code == 0, result.output
    assert "BATON_KAFKA" in result.output
    assert "no faults" in result.output


def test_check_tells_all_faults_of_all_files_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "config"
    shutil.copytree(CONFIG, broken)
    (broken / "sources.yaml").write_text("sources:\n  - {id: website, kind: fax}\n")
    scoring = (broken / "scoring.yaml").read_text()
    (broken / "scoring.yaml").write_text(scoring.replace("half_life: 14d", "half_life: sometimes", 1))
    monkeypatch.setenv("BATON_CONFIG_DIR", str(broken))

    result = run("check", "--json")
    faults = json.loads(result.output)

    assert result.exit_code == 2
    assert {Path(fault["file"]).name for fault in faults} == {"sources.yaml", "scoring.yaml"}
    assert all(set(fault) == {"file", "line", "message", "mend"} for fault in faults)
    assert all(fault["line"] > 0 and fault["mend"] for fault in faults)


def test_a_misspelt_variable_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATON_KAFAK", "somewhere:9092")

    result = run("check")

    assert result.exit_code == 2
    assert "Did you mean BATON_KAFKA?" in result.output


def test_a_setting_that_makes_no_sense_ends_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATON_COLLECTOR_PORT", "eighty")

    result = run("status")

    assert result.exit_code == 2
    assert "BATON_COLLECTOR_PORT" in result.output


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("BATON_DATABASE_URL", "junk", "is no URL"),
        ("BATON_DATABASE_URL", "postgresql://u:hunter2@h:x/d", "port is no number"),
        ("BATON_DATABASE_URL", "mysql://a/b", "is of mysql"),
        ("BATON_KAFKA_OPTIONS", "{", "not JSON"),
        ("BATON_KAFKA_OPTIONS", '["hunter2"]', "not a JSON object"),
        ("BATON_KAFKA_OPTIONS", '{"foo": 1}', "there is no option foo"),
        ("BATON_KAFKA", "a:b:c", "not a broker"),
    ],
)
def test_settings_that_no_server_could_be_reached_by_are_faults_in_every_command(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    monkeypatch.setenv(name, value)

    checked = run("check", "--json")
    results = [run(*command) for command in (("check",), ("db", "upgrade"), ("doctor",), ("roster", "apply"))]

    assert checked.exit_code == 2
    assert [(f["file"], f["line"]) for f in json.loads(checked.output)] == [("environment", 0)]
    assert [result.exit_code for result in results] == [2, 2, 2, 2]
    for result in results:
        assert name in result.output
        assert words in result.output
        assert "hunter2" not in result.output
        assert ":0:" not in result.output
    assert results[0].output.splitlines()[-1] == "1 fault"
    assert len(results[1].output.splitlines()) == 1


def test_check_tells_faults_of_settings_and_of_files_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sources.yaml").write_text("sources:\n  - {id: website, kind: fax}\n")
    monkeypatch.setenv("BATON_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("BATON_KAFAK", "somewhere:9092")
    monkeypatch.setenv("BATON_PARTITIONS", "many")

    told = {Path(fault["file"]).name for fault in json.loads(run("check", "--json").output)}

    assert {"environment", "sources.yaml", "scoring.yaml"} <= told


def test_check_gives_settings_and_notices_to_programs_that_ask_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATON_PARTITIONS", "many")

    told = json.loads(run("check", "--settings", "--json").output)
    settings = {row["name"]: row for row in told["settings"]}

    assert set(told) == {"faults", "notices", "settings"}
    assert [fault["message"].partition(":")[0] for fault in told["faults"]] == ["BATON_PARTITIONS"]
    assert settings["BATON_SALES_PORT"]["value"] == "8081"
    assert settings["BATON_PARTITIONS"]["value"] == "(faulty)"


def test_a_missing_folder_of_configuration_comes_with_the_mend(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BATON_CONFIG_DIR", str(tmp_path / "nowhere"))

    result = run("check")

    assert result.exit_code == 2
    assert "BATON_CONFIG_DIR" in result.output


@pytest.mark.parametrize("command", [("lag",), ("failed", "list"), ("topics", "apply"), ("explain", "a@b.example")])
def test_without_servers_commands_say_which_setting_is_missing(command: tuple[str, ...]) -> None:
    result = run(*command)

    assert result.exit_code == 2
    assert "baton up" in result.output


@pytest.mark.parametrize("folder", ["/proc/x", "/etc/passwd"])
@pytest.mark.parametrize("command", [("up", "--json"), ("ingest",)])
def test_a_data_folder_that_cannot_be_one_is_said_in_a_line(
    monkeypatch: pytest.MonkeyPatch, folder: str, command: tuple[str, ...]
) -> None:
    monkeypatch.setenv("BATON_DATA_DIR", folder)
    monkeypatch.setenv("BATON_KAFKA", "127.0.0.1:1")

    result = run(*command)

    assert result.exit_code == 2
    assert len(result.output.splitlines()) == 1
    assert "BATON_DATA_DIR" in result.output


@pytest.mark.parametrize("command", [("db", "upgrade"), ("roster", "apply")])
def test_a_database_that_is_away_is_said_in_a_line(monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]) -> None:
    monkeypatch.setenv("BATON_DATABASE_URL", f"postgresql://u:hunter2@127.0.0.1:{free_port()}/x")

    result = run(*command)

    assert result.exit_code == 2
    assert len(result.output.splitlines()) == 1
    assert "hunter2" not in result.output


def test_schemas_for_a_folder_that_cannot_be_written_are_refused_in_a_line() -> None:
    result = run("export-schemas", "/proc/nope")

    assert result.exit_code == 2
    assert "cannot write to /proc/nope" in result.output


@pytest.mark.parametrize("command", [("status",), ("resume", "ingest")])
def test_where_nothing_is_up_commands_say_so(monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]) -> None:
    monkeypatch.setenv("BATON_METRICS_PORT", str(free_port()))

    result = run(*command)

    assert result.exit_code == 1
    assert "nothing is up" in result.output


def test_a_dry_run_says_where_leads_would_go(tmp_path: Path) -> None:
    lead = {
        "lead_id": "l-1", "event_id": "e-1", "fit": 90, "engagement": 60, "grade": "A1", "stage": "mql",
        "segments": ["enterprise"], "person": {"country": "DE", "employees": 1200}, "rules_hash": "x",
        "as_of": "2026-11-02T09:00:00Z",
    }  # fmt: skip
    test_lead = lead | {"lead_id": "l-2", "quality": ["test"]}
    file = tmp_path / "leads.jsonl"
    file.write_text(f"{json.dumps(lead)}\n\n{json.dumps(test_lead)}\n")

    result = run("route", "--dry-run", str(file), "--json")
    first, second = json.loads(result.output)

    assert (first["queue"], first["rule"]) == ("emea-enterprise", "emea-enterprise")
    assert first["rep"] in ("ana", "bo")
    assert (second["queue"], second["reason"]) == (None, "test lead")


def test_a_dry_run_names_the_line_that_it_cannot_read(tmp_path: Path) -> None:
    file = tmp_path / "leads.jsonl"
    file.write_text('{"lead_id": "l-1"}\n')

    result = run("route", "--dry-run", str(file))

    assert result.exit_code == 2
    assert f"{file}:1:" in result.output


def test_numbers_of_workers_are_read_by_stage() -> None:
    assert plan.parse_workers("scoring=3") == {"ingest": 1, "scoring": 3, "routing": 1}
    for wrong in ("scoring", "scoring=0", "sales=2", "scoring=x"):
        with pytest.raises(Refusal):
            plan.parse_workers(wrong)


def test_a_default_port_that_is_taken_gives_way_and_a_set_one_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    servers = plan.Servers("127.0.0.1:1", "postgresql://x", embedded_broker=True)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        default = Settings.model_construct(**Settings(collector_port=port, sales_port=0, metrics_port=0).model_dump())
        object.__setattr__(default, "__pydantic_fields_set__", set())
        specs, notices = plan.workers(default, servers, plan.parse_workers(""), {})
        assert specs[0].probes != f"http://127.0.0.1:{port}"
        assert f"port {port} is taken" in notices[0]

        with pytest.raises(Refusal, match=f"port {port} is taken"):
            plan.workers(Settings(collector_port=port), servers, plan.parse_workers(""), {})


def test_workers_have_ports_and_lasting_names_of_their_own() -> None:
    settings = Settings(collector_port=0, sales_port=0, metrics_port=free_port())
    servers = plan.Servers("127.0.0.1:1", "postgresql://x", embedded_broker=False)

    specs, _ = plan.workers(settings, servers, plan.parse_workers("scoring=2"), {"KEY": "secret"})
    again, _ = plan.workers(settings, servers, plan.parse_workers("scoring=2"), {})
    instances = [spec.environment["BATON_INSTANCE"] for spec in specs if "BATON_INSTANCE" in spec.environment]

    assert [spec.name for spec in specs] == ["collector", "sales", "ingest-1", "scoring-1", "scoring-2", "routing-1"]
    assert len({spec.probes for spec in specs}) == len(specs)
    assert len(set(instances)) == 4
    assert instances == [spec.environment["BATON_INSTANCE"] for spec in again if "BATON_INSTANCE" in spec.environment]
    assert all(spec.environment["KEY"] == "secret" for spec in specs)


def test_help_answers_at_once() -> None:
    seconds = []
    for _ in range(5):
        began = time.process_time()
        children = os.times().children_user + os.times().children_system
        subprocess.run([sys.executable, "-m", "baton", "--help"], check=True, capture_output=True)
        after = os.times().children_user + os.times().children_system
        seconds.append(after - children + (time.process_time() - began))

    assert min(seconds) < 0.3
