"""What `deploy/` names exists in the code: settings, ports, commands, topics, groups, metrics."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from baton.cli import app
from baton.settings import Settings, variable
from schemas.topics import all_topics
from streaming.metrics import REGISTRY

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
FILES = sorted([*DEPLOY.rglob("*.yaml"), *DEPLOY.rglob("*.yml")])
DEFAULTS = Settings.model_fields
PORTS = {
    "collector": DEFAULTS["collector_port"].default,
    "sales": DEFAULTS["sales_port"].default,
    **dict.fromkeys(("ingest", "scoring", "routing"), DEFAULTS["metrics_port"].default),
}


def documents(path: Path) -> list[Any]:
    return list(yaml.safe_load_all(path.read_text()))


def kubernetes(kind: str) -> dict[str, Any]:
    """Every object of a kind, by name."""
    found = (document for path in (DEPLOY / "kubernetes").glob("*.yaml") for document in documents(path))
    return {item["metadata"]["name"]: item for item in found if item["kind"] == kind}


def compose() -> dict[str, Any]:
    services: dict[str, Any] = documents(DEPLOY / "compose" / "docker-compose.yml")[0]["services"]
    return services


def commands() -> set[str]:
    """Every command, groups with their own: `topics apply`."""

    def walk(command: Any, path: str) -> Iterator[str]:
        for name, child in getattr(command, "commands", {}).items():
            yield f"{path}{name}"
            yield from walk(child, f"{path}{name} ")

    return set(walk(typer.main.get_command(app), ""))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(DEPLOY).as_posix())
def test_every_file_is_yaml(path: Path) -> None:
    assert documents(path)


def test_every_environment_variable_is_a_setting() -> None:
    texts = [path.read_text() for path in [*FILES, DEPLOY / "Dockerfile"]]
    named = {name for text in texts for name in re.findall(r"\bBATON_[A-Z_]+\b", text)}

    assert {"BATON_KAFKA", "BATON_DATABASE_URL"} <= named
    assert named - {variable(field) for field in DEFAULTS} == set()


def test_every_command_exists() -> None:
    asked = {service["command"][0] for service in compose().values() if "command" in service}
    asked |= {
        argument
        for deployment in kubernetes("Deployment").values()
        for argument in deployment["spec"]["template"]["spec"]["containers"][0]["args"]
    }
    asked |= set(kubernetes("Job")["setup"]["spec"]["template"]["spec"]["containers"][0]["args"])
    plain = {" ".join(shlex.split(part)).removeprefix("baton ") for line in asked for part in line.split("&&")}

    assert {"collector", "sales", "ingest", "scoring", "routing", "db upgrade"} <= plain
    assert plain - commands() == set()


@pytest.mark.parametrize("name", PORTS)
def test_each_process_is_asked_on_the_port_that_it_listens_on(name: str) -> None:
    container = kubernetes("Deployment")[name]["spec"]["template"]["spec"]["containers"][0]
    annotations = kubernetes("Deployment")[name]["spec"]["template"]["metadata"]["annotations"]
    jobs = {job["job_name"]: job for job in documents(DEPLOY / "prometheus" / "prometheus.yml")[0]["scrape_configs"]}

    assert [port["containerPort"] for port in container["ports"]] == [PORTS[name]]
    assert annotations["prometheus.io/port"] == str(PORTS[name])
    assert jobs[name]["dns_sd_configs"][0]["port"] == PORTS[name]
    assert f"127.0.0.1:{PORTS[name]}/" in compose()[name]["healthcheck"]["test"][3]


@pytest.mark.parametrize("name", PORTS)
def test_each_process_has_probes_a_budget_and_no_rights(name: str) -> None:
    pod = kubernetes("Deployment")[name]["spec"]["template"]["spec"]
    container = pod["containers"][0]

    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert name in kubernetes("PodDisruptionBudget")


def test_the_topics_of_kubernetes_are_as_the_code_would_make_them() -> None:
    def config(cleanup: str, retention: int | None) -> dict[str, Any]:
        return {"cleanup.policy": cleanup, "min.insync.replicas": 2} | (
            {} if retention is None else {"retention.ms": retention}
        )

    expected = {topic.name: config(topic.cleanup, topic.retention_ms) for topic in all_topics([])}
    actual = {name: topic["spec"]["config"] for name, topic in kubernetes("KafkaTopic").items()}

    # What is missing here `baton topics apply` makes (setup.yaml).
    assert {
        "marketing.events",
        "leads.events",
        "leads.scored",
        "ingest.state",
        "scoring.state",
        "routing.state",
        "sales.assignments",
    } <= actual.keys()
    assert {name: expected.get(name) for name in actual} == actual


def test_all_topics_have_the_partitions_that_setup_would_give_them() -> None:
    env = kubernetes("Job")["setup"]["spec"]["template"]["spec"]["containers"][0]["env"]
    given = {item["name"]: item.get("value") for item in env}
    made = {(topic["spec"]["partitions"], topic["spec"]["replicas"]) for topic in kubernetes("KafkaTopic").values()}

    assert made == {(int(given["BATON_PARTITIONS"]), int(given["BATON_REPLICATION"]))}


def test_scaling_watches_the_input_of_each_stage() -> None:
    watched = {
        name: (trigger["metadata"].get("consumerGroup"), trigger["metadata"].get("topic"))
        for name, scaled in kubernetes("ScaledObject").items()
        for trigger in scaled["spec"]["triggers"]
        if trigger["type"] == "kafka"
    }

    assert watched == {
        "ingest": ("baton-ingest", "marketing.events"),
        "scoring": ("baton-scoring", "leads.events"),
    }
    assert kubernetes("ScaledObject").keys() <= kubernetes("Deployment").keys()


def expressions() -> list[str]:
    """Every PromQL expression of alerts, dashboard and scaling."""
    alerts = documents(DEPLOY / "prometheus" / "alerts.yml")[0]["groups"][0]["rules"]
    panels = json.loads((DEPLOY / "grafana" / "dashboards" / "baton.json").read_text())["panels"]
    triggers = [t["metadata"] for s in kubernetes("ScaledObject").values() for t in s["spec"]["triggers"]]
    return [
        *(rule["expr"] for rule in alerts),
        *(target["expr"] for panel in panels for target in panel["targets"]),
        *(trigger["query"] for trigger in triggers if "query" in trigger),
    ]


def test_every_metric_of_alerts_dashboard_and_scaling_exists() -> None:
    kinds = {metric.name: metric.type for metric in REGISTRY.collect()}
    existing = {name + {"counter": "_total", "histogram": "_bucket"}.get(kind, "") for name, kind in kinds.items()}
    named = {name for expression in expressions() for name in re.findall(r"\bbaton_[a-z_]+\b", expression)}

    assert "baton_handoff_seconds_bucket" in named
    assert named - existing == set()


def test_every_metric_that_a_person_watches_is_on_the_dashboard_or_in_an_alert() -> None:
    text = " ".join(expressions())
    watched = [
        "baton_records_total",
        "baton_batch_seconds",
        "baton_handoff_seconds",
        "baton_consumer_lag_records",
        "baton_consumer_lag_seconds",
        "baton_failed_total",
        "baton_assignments_total",
        "baton_offers_open",
        "baton_waiting_leads",
        "baton_outbox_records",
        "baton_outbox_oldest_seconds",
        "baton_sla_breaches_total",
        "baton_source_last_event_timestamp_seconds",
        "baton_breaker_open",
    ]

    assert [name for name in watched if name not in text] == []


def test_the_image_installs_only_what_the_lock_file_has_the_hash_of() -> None:
    text = (DEPLOY / "Dockerfile").read_text()

    assert "--require-hashes -r requirements.lock" in text
    assert re.search(r"^USER 10001", text, re.MULTILINE)
    for copied in re.findall(r"^COPY (?!--from)(\S+)", text, re.MULTILINE):
        assert (ROOT / copied).exists(), copied
