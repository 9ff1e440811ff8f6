from __future__ import annotations

import socket
from collections.abc import Iterator

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.parser import text_string_to_metric_families

from streaming import metrics
from streaming.probes import Probes, Readiness


@pytest.fixture
def readiness() -> Readiness:
    return Readiness("assigned", "recovered")


@pytest.fixture
def probes(readiness: Readiness) -> Iterator[Probes]:
    with Probes(readiness) as probes:
        yield probes


def test_a_process_is_not_ready_before_every_condition_was_said_to_hold(probes: Probes, readiness: Readiness) -> None:
    readiness.set("assigned", ok=True)
    answer = httpx.get(f"{probes.url}/readyz")

    assert answer.status_code == 503
    assert answer.json() == {
        "ready": False,
        "conditions": {
            "assigned": {"ok": True, "why": ""},
            "recovered": {"ok": False, "why": "not there yet"},
        },
    }

    readiness.set("recovered", ok=True)
    answer = httpx.get(f"{probes.url}/readyz")

    assert answer.status_code == 200
    assert answer.json()["ready"] is True


def test_readiness_goes_red_again_and_says_why(probes: Probes, readiness: Readiness) -> None:
    readiness.set("assigned", ok=True)
    readiness.set("recovered", ok=True)
    readiness.set("breaker", ok=False, why="100 records in a row failed")
    answer = httpx.get(f"{probes.url}/readyz")

    assert answer.status_code == 503
    assert answer.json()["conditions"]["breaker"] == {"ok": False, "why": "100 records in a row failed"}
    assert not readiness.ready


def test_a_process_is_alive_until_it_says_otherwise(readiness: Readiness) -> None:
    words = [""]
    with Probes(readiness, unwell=lambda: words[0]) as probes:
        assert httpx.get(f"{probes.url}/healthz").status_code == 200

        words[0] = "no round was settled for 90 s"
        answer = httpx.get(f"{probes.url}/healthz")

        assert answer.status_code == 503
        assert answer.json() == {"alive": False, "why": "no round was settled for 90 s"}


def test_a_client_that_goes_away_before_its_answer_leaves_no_traceback(
    readiness: Readiness, capsys: pytest.CaptureFixture[str]
) -> None:
    faults: list[Exception] = [BrokenPipeError(), ValueError("ours")]

    def fault() -> str:
        raise faults.pop(0)

    with Probes(readiness, unwell=fault) as probes:
        for _ in range(2):
            with pytest.raises(httpx.RemoteProtocolError):
                httpx.get(f"{probes.url}/healthz")
    said = capsys.readouterr().err

    assert "BrokenPipeError" not in said
    assert "ValueError: ours" in said


def test_metrics_are_scraped_in_prometheus_text(readiness: Readiness) -> None:
    registry = CollectorRegistry()
    Counter("leads_total", "Leads.", ["queue"], registry=registry).labels("general").inc(3)
    with Probes(readiness, registry=registry) as probes:
        answer = httpx.get(f"{probes.url}/metrics")
    samples = [s for family in text_string_to_metric_families(answer.text) for s in family.samples]

    assert answer.headers["content-type"].startswith("text/plain")
    assert [(s.name, s.labels, s.value) for s in samples] == [("leads_total", {"queue": "general"}, 3.0)]


def test_the_processes_own_metrics_and_the_build_are_there(probes: Probes) -> None:
    text = httpx.get(f"{probes.url}/metrics").text

    assert "process_resident_memory_bytes" in text
    assert f'baton_build_info{{version="{metrics._version()}"}} 1.0' in text


def test_prometheus_own_format_is_given_where_it_is_asked_for(probes: Probes) -> None:
    answer = httpx.get(f"{probes.url}/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})

    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


def test_an_unknown_path_is_not_found_and_a_head_request_has_no_body(probes: Probes) -> None:
    assert httpx.get(f"{probes.url}/").status_code == 404

    answer = httpx.head(f"{probes.url}/healthz")

    assert (answer.status_code, answer.content) == (200, b"")


def test_a_closed_server_gives_its_port_back(readiness: Readiness) -> None:
    with Probes(readiness) as probes:
        port = int(probes.url.rpartition(":")[2])

    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))


def test_a_port_in_use_is_an_error_at_once(readiness: Readiness) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            Probes(readiness, port=taken.getsockname()[1])


@pytest.mark.usefixtures("ipv6")
@pytest.mark.parametrize("host", ["::1", "::"])
def test_a_server_on_ipv6_leaves_the_port_to_one_on_ipv4(readiness: Readiness, host: str) -> None:
    with Probes(readiness, host) as probes:
        port = int(probes.url.rpartition(":")[2])
        with Probes(Readiness(), port=port) as other:
            answers = [httpx.get(f"{one.url}/readyz").status_code for one in (probes, other)]

    assert probes.url == f"http://[::1]:{port}"
    assert answers == [503, 200]


def test_a_watched_condition_is_asked_each_time(probes: Probes, readiness: Readiness) -> None:
    for name in ("assigned", "recovered"):
        readiness.set(name, ok=True)
    whys = iter(["", "stands still"])
    readiness.watch("relay", lambda: next(whys))
    first, second = (httpx.get(f"{probes.url}/readyz") for _ in range(2))

    assert (200, 503) == (first.status_code, second.status_code)
    assert {"ok": False, "why": "stands still"} == second.json()["conditions"]["relay"]
