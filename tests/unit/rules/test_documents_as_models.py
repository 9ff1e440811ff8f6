from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, field_validator

from rules.document import parse, validated
from rules.durations import Duration
from rules.faults import FaultyConfiguration


class Decay(BaseModel):
    model_config = ConfigDict(extra="forbid")

    half_life: Duration | None = None
    window: Duration | None = None


class Rule(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: str = Field(description="Its name in explanations.")
    points: float
    decay: Decay | None = None

    @field_validator("id")
    @classmethod
    def _plain(cls, value: str) -> str:
        if " " in value:
            raise ValueError("has a space in it")
        return value


class Rules(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: int
    rules: list[Rule]
    groups: dict[str, Decay] = Field(default_factory=dict)
    otherwise: bool = False
    starts: str = Field(default="", alias="from")


def faults_of(text: str) -> list[str]:
    with pytest.raises(FaultyConfiguration) as raised:
        validated(parse(text, "rules.yaml"), Rules)
    return [f"{fault.line}: {fault.message} | {fault.mend}" for fault in raised.value.faults]


def test_a_sound_document_becomes_the_model() -> None:
    model = validated(parse("version: 1\nrules: [{id: a, points: 5, decay: {half_life: 7d}}]", "rules.yaml"), Rules)

    decay = model.rules[0].decay

    assert decay is not None
    assert 604_800.0 == decay.half_life


def test_every_fault_of_a_document_comes_at_once_with_its_line() -> None:
    found = faults_of(
        "version: one\n"
        "rule: []\n"
        "rules:\n"
        "  - {id: a, pionts: 5}\n"
        "  - id: b c\n"
        "    points: 5\n"
        "    decay: {half_live: 7d, window: 7x}\n"
        "groups:\n"
        "  g: {half_life: 5}\n"
        "form: x\n"
    )

    not_an_integer = "input should be a valid integer, unable to parse string as an integer"
    expected = [
        f"1: `version`: {not_an_integer}, not `one` | Write a whole number.",
        "10: unknown key `form` | Did you mean `from`?",
        "2: unknown key `rule` | Did you mean `rules`?",
        "4: `rules[0].points` is missing | Add `points: …`.",
        "4: unknown key `pionts` | Did you mean `points`?",
        "5: `rules[1].id`: has a space in it | Mend the value.",
        "7: `rules[1].decay.window`: `7x` is not a duration | Write a number and a unit: 90s, 15m, 4h, 7d or 2w.",
        "7: unknown key `half_live` | Did you mean `half_life`?",
        "9: `groups.g.half_life`: `5` is not a duration | Write a number and a unit: 90s, 15m, 4h, 7d or 2w.",
    ]
    assert sorted(expected) == sorted(found)


class Website(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: Literal["form", "events"]
    secrets: list[str] = Field(default_factory=list)


class Platform(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: Literal["meta", "google"]
    verify_token: str


class Sources(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sources: list[Annotated[Website | Platform, Field(discriminator="kind")]] = Field(default_factory=list)
    distribute: Literal["least_loaded", "weighted_round_robin"] = "least_loaded"
    is_open: bool = False


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "distribute: weighted_round_robbin",
            "`distribute` cannot be `weighted_round_robbin` | Did you mean `weighted_r",
        ),
        ("distribute: 5", "`distribute` cannot be `5` | Known here: least_loaded, weighted_round_robin."),
        ("is_open: perhaps", "not `perhaps` | Write `true` or `false`."),
        ("sources: {}", "1: `sources` must be a list | Write a list"),
        (
            "sources:\n- kind: form\n  secrets: [1]",
            "3: `sources[0].secrets[0]`: input should be a valid string, not `1` | W",
        ),
        ("sources:\n- kind: form\n  sekrets: []", "3: unknown key `sekrets` | Did you mean `secrets`?"),
        ("sources:\n- kind: meta", "2: `sources[0].verify_token` is missing"),
        ("sources:\n- kind: telex", "2: `sources[0].kind` cannot be `telex`"),
        ("sources:\n- kind: goggle", "2: `sources[0].kind` cannot be `goggle` | Did you mean `google`?"),
        ("sources:\n- {}", "2: `sources[0].kind` is missing | Add `kind: …`."),
        ("sources:\n- meta", "2: `sources[0]` must be a mapping | Write a mapping of keys to values."),
    ],
)
def test_a_fault_of_one_of_several_kinds_is_told_where_it_stands(text: str, expected: str) -> None:
    with pytest.raises(FaultyConfiguration) as raised:
        validated(parse(text, "sources.yaml"), Sources)
    found = [f"{fault.line}: {fault.message} | {fault.mend}" for fault in raised.value.faults]

    assert 1 == len(found), found
    assert expected in found[0]


def test_a_missing_key_says_what_it_is_for() -> None:
    found = faults_of("version: 1\nrules: [{points: 5}]")

    assert ["2: `rules[0].id` is missing | Add `id: …` (Its name in explanations)."] == found


def test_a_document_that_is_no_mapping_is_refused() -> None:
    found = faults_of("- a")

    assert ["1: the file must be a mapping of keys to values | Begin with `version:`."] == found
