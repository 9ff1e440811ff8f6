from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.routing.calendars import Calendar, after, days, local_day, public_holidays, spans

BERLIN = Calendar(
    "berlin",
    ZoneInfo("Europe/Berlin"),
    tuple(((9 * 60, 17 * 60 + 30),) if day < 5 else () for day in range(7)),
    public_holidays("DE-BE"),
)


def berlin(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin")).timestamp()


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-09-24T09:00", None),  # a Thursday
        ("2026-09-24T17:29", None),
        ("2026-09-24T17:30", "outside of working hours in berlin"),
        ("2026-09-24T08:59", "outside of working hours in berlin"),
        ("2026-09-26T12:00", "outside of working hours in berlin"),  # a Saturday
        ("2026-03-09T12:00", None),  # a Monday
        ("2027-03-08T12:00", "holiday in berlin: Women's Day"),  # in Berlin alone
    ],
)
def test_somebody_works_in_their_hours_and_not_on_holidays(at: str, expected: str | None) -> None:
    assert expected == BERLIN.closed(berlin(at))


@pytest.mark.parametrize(
    ("start", "minutes", "expected"),
    [
        ("2026-09-24T10:00", 15, "2026-09-24T10:15"),
        ("2026-09-24T17:20", 15, "2026-09-25T09:05"),
        ("2026-09-24T17:15", 15, "2026-09-24T17:30"),
        ("2026-09-25T17:20", 15, "2026-09-28T09:05"),  # over a week-end
        ("2026-09-26T12:00", 30, "2026-09-28T09:30"),
        ("2026-12-24T17:00", 60, "2026-12-28T09:30"),  # over Christmas and a week-end
        ("2026-09-24T09:00", 510 * 2, "2026-09-25T17:30"),
    ],
)
def test_business_time_passes_in_working_hours_only(start: str, minutes: int, expected: str) -> None:
    assert berlin(expected) == after(BERLIN, berlin(start), minutes * 60)


def test_a_day_of_a_clock_change_is_as_long_as_it_is() -> None:
    nights = Calendar("nights", ZoneInfo("Europe/Berlin"), ((), (), (), (), (), (), ((0, 6 * 60),)))
    end = after(nights, berlin("2026-03-29T00:00"), 5 * 3600)  # 02:00 to 03:00 is left out

    assert berlin("2026-03-29T06:00") == end


def test_without_a_calendar_all_time_counts() -> None:
    assert 100.0 == after(None, 40.0, 60.0)


@given(st.integers(0, 400 * 86_400), st.integers(1, 200_000))
def test_business_time_never_runs_backwards_and_adds_up(offset: int, seconds: int) -> None:
    start = berlin("2026-01-01T00:00") + offset
    half = after(BERLIN, start, seconds)

    assert half >= start + seconds
    assert after(BERLIN, half, seconds) == after(BERLIN, start, 2 * seconds)


def test_a_day_is_that_of_the_people() -> None:
    late = datetime(2026, 9, 24, 22, 30, tzinfo=UTC).timestamp()

    assert (date(2026, 9, 25), date(2026, 9, 24)) == (local_day(BERLIN, late), local_day(None, late))


@pytest.mark.parametrize(
    ("text", "expected"), [("mon-fri", [0, 1, 2, 3, 4]), ("sat,sun", [5, 6]), ("Sun-Tue", [6, 0, 1])]
)
def test_weekdays_are_read(text: str, expected: list[int]) -> None:
    assert expected == days(text)


@pytest.mark.parametrize("text", ["", "9-17", "09:00", "09:60-10:00", "09:00-25:00", "09:00-12:00, 11:00-13:00"])
def test_hours_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="'"):
        spans(text)
