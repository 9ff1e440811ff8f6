import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from baton.cli import app
from baton.embedded.ports import free_port
from baton.settings import Settings
from baton.up import plan

CONFIG = Path(__file__).parents[3] / "config"
SERVERS = plan.Servers("127.0.0.1:1", "postgresql://x", embedded_broker=True)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch, tmp_path):
    for name in list(os.environ):
        if name.startswith("BATON_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("BATON_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("BATON_CONFIG_DIR", str(CONFIG))


def run(*args: str):
    return CliRunner().invoke(app, list(args))


@pytest.fixture
def defaults(monkeypatch):
    """Other default ports, by the names of their fields, since those that ship may be taken on this machine."""
    ports: dict[str, int] = {}
    while len(set(ports.values())) < 3:
        ports = {f"{name}_port": free_port() for name in ("collector", "sales", "metrics")}
    with monkeypatch.context() as patch:
        for field, port in ports.items():
            patch.setattr(Settings.model_fields[field], "default", port)
        Settings.model_rebuild(force=True)
        yield ports
    Settings.model_rebuild(force=True)


@pytest.mark.parametrize("names", [("COLLECTOR", "SALES"), ("COLLECTOR", "METRICS"), ("COLLECTOR", "SALES", "METRICS")])
def test_one_port_that_was_set_for_several_is_refused_before_anything_starts(monkeypatch, tmp_path, names):
    port = free_port()
    for name in names:
        monkeypatch.setenv(f"BATON_{name}_PORT", str(port))

    result = run("up", "--json")
    faults = json.loads(run("check", "--json").output)

    assert result.exit_code == 2
    assert result.output == f"baton: {faults[0]['message']}. {faults[0]['mend']}\n"
    assert all(f"BATON_{name}_PORT" in result.output for name in names)
    assert not (tmp_path / "data" / "logs").exists()
    assert len(faults) == 1


@pytest.mark.parametrize(("given", "moved"), [("collector", "sales"), ("sales", "collector")])
def test_a_default_port_gives_way_to_one_that_was_set_and_that_is_said(monkeypatch, defaults, given, moved):
    port = defaults[f"{moved}_port"]
    monkeypatch.setenv(f"BATON_{given.upper()}_PORT", str(port))

    specs, notices = plan.workers(Settings(), SERVERS, plan.parse_workers(""), {})
    probes = {spec.name: spec.probes for spec in specs}
    checked = json.loads(run("check", "--settings", "--json").output)

    assert probes[given] == f"http://127.0.0.1:{port}"
    assert len(set(probes.values())) == len(probes)
    assert f"port {port} is that of the {given}" in notices[0].replace(" API", "")
    assert f"BATON_{moved.upper()}_PORT sets it" in notices[0]
    assert checked["faults"] == []
    assert f"BATON_{given.upper()}_PORT is {port}" in checked["notices"][0]["message"]


@pytest.mark.parametrize("host", ["999.1.1.1", "nohost.invalid", "203.0.113.7", "a..b"])
def test_a_host_that_nobody_can_listen_on_is_refused_before_anything_starts(monkeypatch, tmp_path, host):
    monkeypatch.setenv("BATON_HOST", host)

    result = run("up", "--json")
    told = {one["what"]: one["detail"] for one in json.loads(run("doctor", "--json").output)}

    assert result.exit_code == 2
    assert len(result.output.splitlines()) == 1
    assert result.output.startswith(f"baton: BATON_HOST: this machine cannot listen on {host!r}")
    assert not (tmp_path / "data" / "logs").exists()
    assert told["host"].startswith("BATON_HOST")
    assert not [what for what in told if "port" in what]


@pytest.mark.parametrize("command", ["ingest", "collector"])
def test_a_worker_on_a_host_that_nobody_can_listen_on_names_the_host_and_not_the_port(monkeypatch, command):
    monkeypatch.setenv("BATON_HOST", "203.0.113.7")
    monkeypatch.setenv("BATON_KAFKA", "127.0.0.1:1")

    result = run(command)

    assert result.exit_code == 2
    assert "BATON_HOST: this machine cannot listen on" in result.output
    assert "PORT" not in result.output
