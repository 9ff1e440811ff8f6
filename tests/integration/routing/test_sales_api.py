from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.testclient import TestClient

from baton.up.ledger_view import queues
from services.routing.api import make_sales_api
from services.routing.ledger import Ledger
from services.routing.outcomes import Outcomes
from streaming.memory import MemoryRecord
from streaming.stage import Output, TransientError
from tests.integration.routing.desk import feed, outbox, rows, runner
from tests.unit.routing import world

pytestmark = pytest.mark.postgres


@dataclass
class FakePublisher:
    published: list[Output] = field(default_factory=list)
    away: bool = False

    def publish(self, output: Output) -> None:
        if self.away:
            raise TransientError("no broker")
        self.published.append(output)


@pytest.fixture
def publisher() -> FakePublisher:
    return FakePublisher()


@pytest.fixture
def sales(ledger: Ledger, publisher: FakePublisher) -> TestClient:
    return TestClient(make_sales_api(ledger, world.plan(), publisher, clock=lambda: world.NOON + 60))


def the_assignment(sales: TestClient) -> dict[str, Any]:
    (found,) = sales.get("/v1/assignments").json()["assignments"]
    return dict(found)


def big(name: str) -> Any:
    return world.lead(name, segments=["enterprise"])


def test_the_rep_accepts_and_saying_so_twice_changes_nothing(ledger: Ledger, sales: TestClient) -> None:
    feed(runner(ledger, world.plan()), big("lena"))
    of = the_assignment(sales)["assignment_id"]
    first = sales.post(f"/v1/assignments/{of}/accept", json={"rep": "ana"})
    second = sales.post(f"/v1/assignments/{of}/accept", json={"rep": "ana"})

    assert (200, True, "accepted") == (first.status_code, first.json()["changed"], first.json()["status"])
    assert (200, False, "accepted") == (second.status_code, second.json()["changed"], second.json()["status"])
    assert ["offered", "accepted"] == [one["status"] for one in outbox(ledger, "sales.assignments")]


def test_a_declined_lead_goes_to_the_next(ledger: Ledger, sales: TestClient) -> None:
    feed(runner(ledger, world.plan()), big("lena"))
    of = the_assignment(sales)["assignment_id"]
    sales.post(f"/v1/assignments/{of}/decline", json={"rep": "ana", "reason": "knows me not"})
    again = sales.post(f"/v1/assignments/{of}/decline", json={"rep": "ana"})
    changes = [(one["sequence"], one["status"], one.get("rep")) for one in outbox(ledger, "sales.assignments")]

    assert [(1, "offered", "ana"), (2, "declined", "ana"), (3, "offered", "bo")] == changes
    assert (200, False) == (again.status_code, again.json()["changed"])
    assert [{"id": "ana", "open": 0}, {"id": "bo", "open": 1}] == rows(
        ledger, "SELECT id, open FROM reps WHERE id IN ('ana', 'bo') ORDER BY id"
    )


def test_a_lead_that_everybody_declined_waits(ledger: Ledger, sales: TestClient) -> None:
    feed(runner(ledger, world.plan()), big("lena"))
    of = the_assignment(sales)["assignment_id"]
    for rep in ("ana", "bo"):
        sales.post(f"/v1/assignments/{of}/decline", json={"rep": rep})
    after = the_assignment(sales)

    assert ("waiting", None) == (after["status"], after["rep"])
    assert after["reason"].startswith("everybody of the pool has declined")


@pytest.mark.parametrize(
    ("path", "body", "status", "where"),
    [
        ("unknown/accept", {"rep": "ana"}, 404, "id"),
        ("{id}/accept", {"rep": "bo"}, 409, "rep"),
        ("{id}/decline", {"rep": "bo"}, 409, "rep"),
        ("{id}/accept", {}, 422, "rep"),
        ("{id}/accept", {"rep": "ana", "why": "?"}, 422, "why"),
        ("{id}/accept", b"{", 400, ""),
        ("%00/accept", {"rep": "ana"}, 422, "id"),
    ],
)
def test_an_answer_that_cannot_be_taken_names_field_and_mend(
    ledger: Ledger, sales: TestClient, path: str, body: Any, status: int, where: str
) -> None:
    feed(runner(ledger, world.plan()), big("lena"))
    url = "/v1/assignments/" + path.replace("{id}", the_assignment(sales)["assignment_id"])
    refused = sales.post(url, content=body) if isinstance(body, bytes) else sales.post(url, json=body)
    (error,) = refused.json()["errors"]

    assert (status, "application/problem+json") == (refused.status_code, refused.headers["content-type"])
    assert where == error["field"]
    assert error["mend"]


def test_assignments_are_filtered_and_come_in_pages(ledger: Ledger, sales: TestClient) -> None:
    feed(runner(ledger, world.plan()), *(big(f"lead-{i}") for i in range(9)), world.lead("small"))
    seen, cursor = [], None
    while True:
        query = {"queue": "enterprise", "limit": "4"} | ({"cursor": cursor} if cursor else {})
        page = sales.get("/v1/assignments", params=query).json()
        seen.append([one["lead_id"] for one in page["assignments"]])
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert [4, 4, 1] == [len(page) for page in seen]
    assert {f"lead-{i}" for i in range(9)} == {lead for page in seen for lead in page}
    assert 6 == len(sales.get("/v1/assignments", params={"rep": "ana"}).json()["assignments"])


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "status=lost", "cursor=%20", "colour=red", "rep=%00"])
def test_a_query_that_cannot_be_taken_is_refused(sales: TestClient, query: str) -> None:
    assert 422 == sales.get(f"/v1/assignments?{query}").status_code


def test_a_lead_is_found_by_id_and_by_address_with_all_that_is_known(ledger: Ledger, sales: TestClient) -> None:
    feed(runner(ledger, world.plan()), big("lena"))
    found = sales.get("/v1/leads/lena").json()

    assert found == sales.get("/v1/leads/Lena@Example.com").json()
    assert "demo" == found["explanation"][0]["rule"]
    assert ["ana", "bo"] == [one["rep"] for one in found["assignment"]["decision"]["candidates"]]
    assert ["offered"] == [one["status"] for one in found["assignment"]["history"]]
    assert 404 == sales.get("/v1/leads/nobody").status_code


def test_a_suppressed_lead_says_why_it_has_no_assignment(ledger: Ledger, sales: TestClient) -> None:
    feed(runner(ledger, world.plan()), world.lead("lena", quality=["test"]))
    found = sales.get("/v1/leads/lena").json()

    assert (None, "test lead") == (found["assignment"], found["suppression"]["reason"])


def test_a_rep_who_is_away_gets_nothing_until_they_are_back(ledger: Ledger, sales: TestClient) -> None:
    told = sales.put("/v1/reps/ana/availability", json={"available": False, "until": "2026-09-25T08:00:00Z"})
    run = runner(ledger, world.plan(), now=world.NOON + 60)
    feed(run, big("lena"), big("mia"))
    meanwhile = {one["rep"] for one in sales.get("/v1/assignments").json()["assignments"]}
    run.now = world.NOON + 86_400
    feed(run, *(big(f"later-{i}") for i in range(3)))

    assert 200 == told.status_code
    assert {"bo"} == meanwhile
    assert 2 == len(sales.get("/v1/assignments", params={"rep": "ana"}).json()["assignments"])


@pytest.mark.parametrize(
    ("rep", "body", "status"),
    [
        ("nobody", {"available": True}, 404),
        ("ana", {"available": "perhaps"}, 422),
        ("ana", {"available": False, "until": "2020-01-01T00:00:00Z"}, 422),
        ("ana", {"available": False, "until": "2026-12-01T00:00:00"}, 422),
    ],
)
def test_availability_that_cannot_be_taken_is_refused(
    sales: TestClient, rep: str, body: dict[str, Any], status: int
) -> None:
    assert status == sales.put(f"/v1/reps/{rep}/availability", json=body).status_code


OUTCOME = {"outcome_id": "o-1", "lead_id": "lena", "kind": "won", "occurred_at": "2026-09-24T13:00:00Z"}


def test_an_outcome_is_published(sales: TestClient, publisher: FakePublisher) -> None:
    answer = sales.post("/v1/outcomes", json=OUTCOME)
    (record,) = publisher.published

    assert (202, ["o-1"]) == (answer.status_code, answer.json()["outcome_ids"])
    assert ("sales.outcomes", b"lena") == (record.topic, record.key)


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b'{"outcome_id": "o"}', 422), (b'{"schema_version": 9}', 422), (b"x" * 70_000, 413)],
)
def test_an_outcome_that_cannot_be_taken_is_refused(sales: TestClient, body: bytes, status: int) -> None:
    assert status == sales.post("/v1/outcomes", content=body).status_code


@pytest.mark.parametrize("occurred_at", ["1999-12-31T23:59:59Z", "2026-09-25T12:01:01Z", "0001-01-01T00:00:00+05:00"])
def test_an_outcome_of_an_impossible_time_is_refused_at_the_door(
    sales: TestClient, publisher: FakePublisher, occurred_at: str
) -> None:
    answer = sales.post("/v1/outcomes", json=OUTCOME | {"occurred_at": occurred_at})

    assert (422, "occurred_at", []) == (
        answer.status_code,
        answer.json()["errors"][0]["field"],
        publisher.published,
    )


def test_while_kafka_is_away_an_outcome_is_to_be_sent_again(sales: TestClient, publisher: FakePublisher) -> None:
    publisher.away = True
    answer = sales.post("/v1/outcomes", json=OUTCOME)

    assert (503, "2") == (answer.status_code, answer.headers["retry-after"])


def test_the_api_is_alive_ready_and_measured(sales: TestClient) -> None:
    assert [200, 200, 200] == [sales.get(path).status_code for path in ("/healthz", "/readyz", "/metrics")]
    assert "baton_assignments_total" in sales.get("/metrics").text


@pytest.mark.parametrize(
    "limit", ["0000000019999999999999999999999", "000000001999", "1001", "0", "-1", "1e2", "", "١"]
)
def test_a_limit_beyond_the_bound_is_refused_however_it_is_written(sales: TestClient, limit: str) -> None:
    answer = sales.get("/v1/assignments", params={"limit": limit})

    assert (422, "application/problem+json") == (answer.status_code, answer.headers["content-type"])


@pytest.mark.parametrize(
    "inside",
    [
        b'["2026-09-24T12:00:00Z", "a\\u0000b"]',
        b'["2026-09-24T12:00:00", "a"]',
        b'["0001-01-01T00:00:00+05:00", "a"]',
        b'["2026-09-24T12:00:00Z", 7]',
        b'{"a": 1, "b": 2}',
        b"[1, 2, 3]",
        b"\xff",
    ],
)
def test_a_cursor_that_was_not_made_here_is_refused(sales: TestClient, inside: bytes) -> None:
    answer = sales.get("/v1/assignments", params={"cursor": urlsafe_b64encode(inside).decode()})

    assert (422, "cursor") == (answer.status_code, answer.json()["errors"][0]["field"])


def test_a_fault_of_ours_is_a_problem_that_tells_nothing_of_the_inside(
    ledger: Ledger, publisher: FakePublisher
) -> None:
    door = TestClient(make_sales_api(ledger, world.plan(), publisher), raise_server_exceptions=False)
    with ledger.unit() as unit:
        unit.connection.exec_driver_sql("ALTER TABLE leads RENAME TO hidden")
    answer = door.get("/v1/leads/ada@example.com")

    assert (500, "application/problem+json") == (answer.status_code, answer.headers["content-type"])
    assert "ada" not in answer.text
    assert "leads" not in answer.text


def test_the_live_view_counts_what_is_with_a_rep_and_not_what_they_have_closed(
    ledger: Ledger, sales: TestClient
) -> None:
    feed(runner(ledger, world.plan()), big("lena"))
    of = the_assignment(sales)["assignment_id"]

    def with_reps() -> list[tuple[str, int]]:
        return [(rep.rep, rep.leads) for queue in queues(ledger.engine, ()) for rep in queue.reps]

    offered = with_reps()
    sales.post(f"/v1/assignments/{of}/accept", json={"rep": "ana"})
    accepted = with_reps()
    closing = b'{"outcome_id": "o", "kind": "won", "lead_id": "lena", "occurred_at": "2026-09-24T12:30:00Z"}'
    Outcomes(ledger, world.plan(), clock=lambda: world.NOON + 3600).take(
        MemoryRecord("sales.outcomes", 0, 0, b"lena", closing, (), 0)
    )

    assert offered == accepted == [("ana", 1)]
    assert with_reps() == [("ana", 0)]
