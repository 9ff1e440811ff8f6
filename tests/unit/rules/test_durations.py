import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from rules.durations import Duration, seconds, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [("90s", 90), ("15m", 900), ("4h", 14_400), ("7d", 604_800), ("2w", 1_209_600), ("1.5h", 5_400), (" 1 d ", 86_400)],
)
def test_a_duration_is_a_number_and_a_unit(text: str, expected: float) -> None:
    assert expected == seconds(text)


@pytest.mark.parametrize(
    "text",
    ["", "7", "d", "7x", "7D", "-1d", "+1d", "1h30m", "1e3s", "٣d", "0s", "0.0h", "101w" * 2, "36501d", "9" * 13 + "s"],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="`"):
        seconds(text)


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (90, "90 seconds"), (60, "1 minute"), (900, "15 minutes"), (5_400, "90 minutes"), (3_600, "1 hour"),
        (86_400, "1 day"), (604_800, "7 days"), (1_209_600, "2 weeks"), (0.5, "0.5 seconds"), (1.5, "1.5 seconds"),
    ],
)  # fmt: skip
def test_a_duration_reads_as_people_say_it(length: float, expected: str) -> None:
    assert expected == words(length)


@given(st.integers(1, 5_000), st.sampled_from("smhdw"))
def test_a_number_of_units_is_that_many_times_one(count: int, unit: str) -> None:
    assert count * seconds(f"1{unit}") == seconds(f"{count}{unit}")


def test_a_model_takes_durations_as_text_only() -> None:
    adapter = TypeAdapter(Duration)

    assert 604_800.0 == adapter.validate_python("7d")
    for wrong in (7, 7.5, None, True, ["7d"], "7"):
        with pytest.raises(ValidationError):
            adapter.validate_python(wrong)
