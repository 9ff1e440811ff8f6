import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scoring.decay import Decay, Kind, worth

DAY = 86_400.0
KINDS = st.sampled_from(["half_life", "linear", "window"])


@pytest.mark.parametrize(
    ("kind", "days", "age_in_days", "expected"),
    [
        ("half_life", 7, 0, 80.0),
        ("half_life", 7, 7, 40.0),
        ("half_life", 7, 14, 20.0),
        ("half_life", 7, 3.5, 56.568542494923804),  # 80/√2
        ("half_life", 7, -3, 80.0),  # a clock that runs ahead
        ("linear", 60, 0, 80.0),
        ("linear", 60, 15, 60.0),
        ("linear", 60, 59.25, 1.0),
        ("linear", 60, 60, 0.0),
        ("linear", 60, 600, 0.0),
        ("window", 30, 0, 80.0),
        ("window", 30, 29.999, 80.0),
        ("window", 30, 30, 0.0),
        ("window", 30, 31, 0.0),
    ],
)
def test_a_signal_is_worth_by_age_what_the_formula_says(
    kind: Kind, days: float, age_in_days: float, expected: float
) -> None:
    found = worth(80.0, age_in_days * DAY, Decay(kind, days * DAY))

    assert pytest.approx(expected, abs=1e-12) == found


def test_without_decay_a_signal_does_not_age() -> None:
    assert 80.0 == worth(80.0, 1e9, None)


@given(KINDS, st.floats(1, 1e8), st.floats(0, 1e9), st.floats(0, 1e9), st.floats(0.01, 1e5))
def test_a_signal_never_gains_with_age_and_never_turns_round(
    kind: Kind, span: float, one: float, other: float, points: float
) -> None:
    decay = Decay(kind, span)
    young, old = sorted((one, other))

    assert 0 <= worth(points, old, decay) <= worth(points, young, decay) <= points
    assert -worth(points, old, decay) == worth(-points, old, decay)
