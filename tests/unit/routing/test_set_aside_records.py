"""What stands in for a record that its topic does not take, and with whom it is published."""

from __future__ import annotations

from typing import Any

import pytest

from services.routing.aside import Aside, note, set_aside
from services.routing.ledger.outbox import Part, Waiting
from services.routing.outgoing import PublisherLost, TooLargeForKafka
from streaming.stage import Output

WHY = TooLargeForKafka("too large")


def waiting(id_: int, topic: str = "sales.queue.smb", headers: Any = (("ce_id", b"e-1"),)) -> Waiting:
    return Waiting(id_, 3, id_ + 10, Output(topic, b"lead-1", b"{}", headers))


@pytest.fixture
def aside() -> Aside:
    return Aside(None, "routing.failed")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("at", "ids", "cut"),
    [(1, [1], True), (3, [1, 2], True), (4, [1, 2, 3], True), (9, [1, 2, 3, 4], False)],
)
def test_it_is_published_alone(aside: Aside, at: int, ids: list[int], cut: bool) -> None:
    aside.refused(waiting(at), WHY)
    part = aside.apart(Part([waiting(n) for n in (1, 2, 3, 4)], cut=False))

    assert ([one.id for one in part.records], part.cut) == (ids, cut)


def test_once_it_is_published_all_go_together_again(aside: Aside) -> None:
    aside.refused(waiting(1), WHY)
    aside.published([waiting(1)])
    part = Part([waiting(1), waiting(2)], cut=False)

    assert aside.apart(part) == part
    assert aside.stand_in(waiting(1), 0.0) == waiting(1)


def test_it_says_where_it_was_to_go_and_claims_no_offset(aside: Aside) -> None:
    aside.refused(waiting(1), WHY)
    found = aside.stand_in(waiting(1), 0.0)
    said = dict(found.output.headers)

    assert (found.output.topic, found.lane, found.sequence, found.output.lane) == ("routing.failed", 3, 11, 3)
    assert (said["baton_topic"], said["baton_partition"], said["baton_offset"]) == (b"sales.queue.smb", b"-1", b"-1")
    assert (said["baton_set_aside"], said["ce_id"]) == (b"3-11", b"e-1")


def test_a_failed_record_is_not_wrapped_again() -> None:
    record = waiting(1, "routing.failed", (("baton_reason", b"schema_violation"), ("baton_topic", b"leads.scored")))

    assert set_aside(record, "routing.failed", 0.0) is record


def test_the_longest_detail_still_stands_in_a_note() -> None:
    detail = "€".encode() * 2_000
    noted = note(waiting(1, "routing.failed", (("baton_detail", detail), ("baton_trace", b"t"))), "name")

    assert [name for name, _ in noted.output.headers] == ["baton_detail", "baton_kept"]
    assert (noted.output.headers[0][1] or b"").startswith(detail)


def test_where_nothing_is_left_to_try_it_is_said(aside: Aside) -> None:
    for _ in range(2):
        aside.refused(waiting(1), WHY)
    with pytest.raises(PublisherLost, match="not even a note") as lost:
        aside.refused(waiting(1), WHY)

    assert not isinstance(lost.value, TooLargeForKafka), "that is tried again without patience"
