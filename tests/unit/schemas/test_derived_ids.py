from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from schemas.headers import rfc3339
from schemas.ids import NAMESPACE, derived_id, lead_id


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"])))
def test_ids_are_those_of_the_standard_library(one: str, two: str) -> None:
    assert str(uuid5(NAMESPACE, f"scored:{one}:{two}")) == derived_id("scored", one, two)
    assert str(uuid5(NAMESPACE, f"lead:{one}:{two}")) == lead_id(one, two)
    assert 5 == UUID(derived_id(one, two)).version


def test_times_are_written_in_utc_whatever_their_zone() -> None:
    berlin = timezone(timedelta(hours=2))

    assert "2026-09-07T10:00:00Z" == rfc3339(datetime(2026, 9, 7, 12, tzinfo=berlin))
    assert "2026-09-07T12:00:00.000250Z" == rfc3339(datetime(2026, 9, 7, 12, microsecond=250, tzinfo=UTC))
