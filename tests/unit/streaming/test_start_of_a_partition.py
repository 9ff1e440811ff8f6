from __future__ import annotations

import pytest

from streaming.faust.faults import EngineBroken
from streaming.faust.offsets import start_of


def test_a_partition_without_a_committed_offset_starts_at_its_first_record() -> None:
    assert start_of("in", 0, -1, (40, 90)) == 40


def test_a_partition_goes_on_at_its_committed_offset() -> None:
    assert start_of("in", 0, 60, (40, 90)) == 60
    assert start_of("in", 0, 90, (40, 90)) == 90


def test_records_that_expired_unprocessed_are_passed_over_loudly(caplog: pytest.LogCaptureFixture) -> None:
    assert start_of("in", 3, 10, (40, 90)) == 40
    assert "in-3: records 10 to 39 were deleted before they were processed" in caplog.text


def test_a_topic_that_was_made_anew_is_not_guessed_about() -> None:
    with pytest.raises(EngineBroken, match="in-0 ends at 90, but 91 is committed"):
        start_of("in", 0, 91, (40, 90))
