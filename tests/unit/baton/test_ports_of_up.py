import json
import random
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from baton.cli import app
from baton.embedded.ports import free_port, is_free
from baton.refusal import Refusal
from baton.settings import Settings
from baton.up import plan
from baton.up.worker import WorkerSpec

pytestmark = pytest.mark.usefixtures("clean_environment")
SERVERS = plan.Servers("127.0.0.1:1", "postgresql://x", embedded_broker=True)


def run(*args: str) -> Result:
    return CliRunner().invoke(app, list(args))


def port_of(spec: WorkerSpec) -> str:
    assert spec.probes is not None
    return spec.probes.rpartition(":")[2]


@pytest.fixture
def defaults(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, int]]:
    """Other default ports, by the names of their fields, since those that ship may be taken on this machine."""
    # Below those that the system gives out by itself: nobody else takes one meanwhile.
    free = (port for port in random.sample(range(20_000, 32_000, 4), 3_000) if all(map(is_free, range(port, port + 4))))
    ports = {f"{name}_port": next(free) for name in ("collector", "sales", "metrics")}
    with monkeypatch.context() as patch:
        for field, port in ports.items():
            patch.setattr(Settings.model_fields[field], "default", port)
        Settings.model_rebuild(force=True)
        yield ports
    Settings.model_rebuild(force=True)


@pytest.mark.parametrize("names", [("COLLECTOR", "SALES"), ("COLLECTOR", "METRICS"), ("COLLECTOR", "SALES", "METRICS")])
def test_one_port_that_was_set_for_several_is_refused_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, names: tuple[str, ...]
) -> None:
    port = free_port()
    for name in names:
        monkeypatch.setenv(f"BATON_{name}_PORT", str(port))

    result = run("up", "--json")
    faults = json.loads(run("check", "--json").output)

    looked = {one["what"]: one["detail"] for one in json.loads(run("doctor", "--json").output)}

    assert result.exit_code == 2
    assert result.output == f"baton: {faults[0]['message']}. {faults[0]['mend']}\n"
    assert looked["ports"] == f"{faults[0]['message']}. {faults[0]['mend']}"
    assert all(f"BATON_{name}_PORT" in result.output for name in names)
    assert not (tmp_path / "data" / "logs").exists()
    assert len(faults) == 1


@pytest.mark.parametrize(("given", "moved"), [("collector", "sales"), ("sales", "collector")])
def test_a_default_port_gives_way_to_one_that_was_set_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch, defaults: dict[str, int], given: str, moved: str
) -> None:
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
def test_a_host_that_nobody_can_listen_on_is_refused_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, host: str
) -> None:
    monkeypatch.setenv("BATON_HOST", host)

    result = run("up", "--json")
    told = {one["what"]: one["detail"] for one in json.loads(run("doctor", "--json").output)}

    assert result.exit_code == 2
    assert len(result.output.splitlines()) == 1
    assert result.output.startswith(f"baton: BATON_HOST: this machine cannot listen on {host!r}")
    assert not (tmp_path / "data" / "logs").exists()
    assert told["host"].startswith("BATON_HOST")
    assert not [what for what in told if "port" in what]


@pytest.mark.usefixtures("ipv6")
@pytest.mark.parametrize("host", ["::1", "::"])
def test_doors_and_workers_may_all_listen_on_ipv6(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("BATON_HOST", host)
        monkeypatch.setenv("BATON_METRICS_PORT", str(port))
        looked = {one["what"]: one["ok"] for one in json.loads(run("doctor", "--json").output)}
        refused = run("up", "--json")
        monkeypatch.setenv("BATON_KAFKA", "127.0.0.1:1")
        worker = run("ingest")
    free = Settings(collector_port=0, sales_port=0, metrics_port=0)
    specs, notices = plan.workers(free, SERVERS, plan.parse_workers(""), {})

    assert looked["host"]
    assert refused.output.startswith(f"baton: port {port} is taken. Set BATON_METRICS_PORT")
    assert f"port {port} on {host} cannot be taken (Address already in use)" in worker.output
    assert {(spec.probes or "").rpartition(":")[0] for spec in specs} == {"http://[::1]"}
    assert notices == []


@pytest.mark.usefixtures("ipv6")
def test_a_port_that_is_taken_on_ipv4_is_free_on_ipv6() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        specs, _ = plan.workers(
            Settings(host="::", collector_port=0, sales_port=0, metrics_port=port), SERVERS, plan.parse_workers(""), {}
        )

    assert specs[2].probes == f"http://[::1]:{port}"


@pytest.mark.parametrize("host", ["203.0.113.7", "nohost.invalid", "a..b"])
@pytest.mark.parametrize("command", ["ingest", "collector"])
def test_a_worker_on_a_host_that_nobody_can_listen_on_names_the_host_and_not_the_port(
    monkeypatch: pytest.MonkeyPatch, command: str, host: str
) -> None:
    monkeypatch.setenv("BATON_HOST", host)
    monkeypatch.setenv("BATON_KAFKA", "127.0.0.1:1")

    result = run(command)

    assert result.exit_code == 2
    assert f"BATON_HOST: this machine cannot listen on {host!r} (" in result.output
    assert "PORT" not in result.output
    assert "Unknown" not in result.output


def test_a_metrics_port_that_was_set_and_is_taken_is_refused_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("BATON_METRICS_PORT", str(port))
        result = run("up", "--json")
        with pytest.raises(Refusal, match="BATON_METRICS_PORT"):
            plan.workers(Settings(collector_port=0, sales_port=0), SERVERS, plan.parse_workers(""), {})

    assert result.exit_code == 2
    assert result.output == f"baton: port {port} is taken. Set BATON_METRICS_PORT to another one; 0 takes free ones\n"
    assert not (tmp_path / "data" / "logs").exists()


def test_a_default_metrics_port_that_is_taken_gives_way_and_that_is_said(defaults: dict[str, int]) -> None:
    port = defaults["metrics_port"]
    with socket.create_server(("127.0.0.1", port)):
        specs, notices = plan.workers(Settings(), SERVERS, plan.parse_workers(""), {})
    first = port_of(specs[2])

    assert int(first) > port
    assert notices == [
        f"port {port} is taken, so the metrics of ingest-1 are on {first}; BATON_METRICS_PORT sets the first of them"
    ]


def test_ports_after_the_first_of_metrics_may_be_taken_and_that_is_said(defaults: dict[str, int]) -> None:
    port = defaults["metrics_port"]
    with socket.create_server(("127.0.0.1", port + 1)):
        specs, notices = plan.workers(Settings(metrics_port=port), SERVERS, plan.parse_workers(""), {})
    second = port_of(specs[3])

    assert specs[2].probes == f"http://127.0.0.1:{port}"
    [notice] = notices
    assert notice.startswith(f"port {port + 1} is taken, so the metrics of scoring-1 are on {second};")


@pytest.mark.parametrize(("first", "told"), [(0, []), (65_534, [65_534, 65_535])])
def test_metrics_take_free_ports_where_none_is_wanted_or_none_is_left_above_the_first(
    first: int, told: list[int]
) -> None:
    settings = Settings(collector_port=0, sales_port=0, metrics_port=first)
    specs, notices = plan.workers(settings, SERVERS, plan.parse_workers("scoring=3"), {})
    ports = [int(port_of(spec)) for spec in specs[2:]]

    assert ports[: len(told)] == told
    assert len(set(ports)) == 5
    assert min(ports) >= 1_024
    assert notices == []
