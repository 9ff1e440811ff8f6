from baton.provisioning import topic_specs
from baton.settings import Settings


def test_a_failed_topic_takes_a_record_that_just_fitted_its_source_and_the_headers_that_say_why():
    largest_original, headers = 1_048_588, 16_000  # Kafka's default for a topic; detail, trace and the rest at most

    specs = {spec.name: spec for spec in topic_specs(Settings(topic_prefix="eu."), ["general"])}

    for stage in ("ingest", "scoring", "routing"):
        assert int(specs[f"eu.{stage}.failed"].config["max.message.bytes"]) > largest_original + headers
    assert "max.message.bytes" not in specs["eu.marketing.events"].config
