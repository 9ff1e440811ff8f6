"""The keys of `scoring.yaml`, as they are written."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from rules.durations import Duration

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")]
"""An id: letters, digits, `_`, `.` and `-`."""

Points = Annotated[float, Field(ge=-100_000, le=100_000, allow_inf_nan=False)]
Maximum = Annotated[float, Field(gt=0, le=100_000, allow_inf_nan=False)]


class Keys(BaseModel):
    """A mapping of the file. Unknown keys are faults."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DecayKeys(Keys):
    """One way in which a signal fades."""

    half_life: Duration | None = None
    linear: Duration | None = None
    window: Duration | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> DecayKeys:
        written = [name for name in DecayKeys.model_fields if getattr(self, name) is not None]
        if len(written) != 1:
            what = " and ".join(f"`{name}`" for name in written) or "no kind of decay"
            raise PydanticCustomError(
                "decay",
                "{what} given where one kind is wanted",
                {"what": what, "mend": "Write one of `half_life: 7d`, `linear: 60d`, `window: 30d`."},
            )
        return self


class LimitKeys(Keys):
    """How often a rule counts in a period."""

    times: int = Field(ge=1, le=1_000, description="How many occurrences count.")
    per: Duration = Field(description="The period: `1d`, `1w`, …")


class FitRuleKeys(Keys):
    """Who they are."""

    id: Name
    when: Any = Field(description="A condition.")
    points: Points
    group: Name | None = None


class EngagementRuleKeys(Keys):
    """What they did."""

    id: Name
    on: str = Field(min_length=1, max_length=512, description="A type of event.")
    when: Any = None
    points: Points
    decay: DecayKeys | None = None
    limit: LimitKeys | None = None
    group: Name | None = None


class GroupKeys(Keys):
    """Rules that together give `max` at most."""

    max: Maximum


class FitKeys(Keys):
    """The fit score."""

    max: Maximum = 100.0
    rules: list[FitRuleKeys]
    groups: dict[Name, GroupKeys] = Field(default_factory=dict)


class EngagementKeys(Keys):
    """The engagement score."""

    max: Maximum = 100.0
    rules: list[EngagementRuleKeys]
    groups: dict[Name, GroupKeys] = Field(default_factory=dict)


class GradeKeys(Keys):
    """The lowest score of each letter and digit."""

    fit: dict[str, Points] = Field(description="Lowest fit of A, B and C.")
    engagement: dict[int, Points] = Field(description="Lowest engagement of 1, 2 and 3.")


class SegmentKeys(Keys):
    """A group of leads that rules speak of by name."""

    id: Name
    when: Any = Field(description="A condition.")


class QualifyKeys(Keys):
    """When a lead is handed to sales."""

    mql: Any = None
    hand_raise: list[Annotated[str, Field(min_length=1, max_length=512)]] = Field(default_factory=list)


class RecycleKeys(Keys):
    """How long a lead rests after sales sent it back."""

    cool_down: Duration = 30 * 86_400.0


class ScoringKeys(Keys):
    """The whole file."""

    version: Literal[1]
    fit: FitKeys
    engagement: EngagementKeys
    grade: GradeKeys
    segments: list[SegmentKeys] = Field(default_factory=list)
    qualify: QualifyKeys
    recycle: RecycleKeys = Field(default_factory=RecycleKeys)
