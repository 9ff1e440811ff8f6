import pytest
from pydantic import ValidationError

from baton.provisioning import topic_specs
from baton.settings import Settings


def test_a_failed_topic_takes_a_record_that_just_fitted_its_source_and_the_headers_that_say_why() -> None:
    largest_original, headers = 1_048_588, 16_000  # Kafka's default for a topic; detail, trace and the rest at most

    specs = {spec.name: spec for spec in topic_specs(Settings(topic_prefix="eu."), ["general"])}

    for stage in ("ingest", "scoring", "routing"):
        assert int(specs[f"eu.{stage}.failed"].config["max.message.bytes"]) > largest_original + headers
    assert "max.message.bytes" not in specs["eu.marketing.events"].config


@pytest.mark.parametrize(
    ("settings", "least"),
    [
        (Settings(), None),
        (Settings(replication=1), None),
        (Settings(replication=2), None),
        (Settings(replication=3), "2"),
        (Settings(replication=5), "2"),
        (Settings(replication=3, min_insync=1), "1"),
        (Settings(min_insync=2), "2"),
    ],
    ids=str,
)
def test_of_three_copies_two_must_have_a_record_unless_it_is_said_otherwise(
    settings: Settings, least: str | None
) -> None:
    specs = topic_specs(settings, ["general"])

    assert {spec.config.get("min.insync.replicas") for spec in specs} == {least}
    assert {spec.replication for spec in specs} == {settings.replication}


def test_more_copies_than_there_are_cannot_be_asked_for() -> None:
    with pytest.raises(ValidationError, match="nothing could be written"):
        Settings(replication=2, min_insync=3)
