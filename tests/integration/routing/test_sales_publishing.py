from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from services.routing.api.publishing import KafkaPublisher
from streaming.client import KafkaAddress
from streaming.stage import Output, TransientError
from tests.forgetful import broker_or_skip, forget, make_topic
from tests.waiting import until

pytestmark = pytest.mark.kafka


def test_a_producer_that_librdkafka_gave_up_is_replaced_and_the_next_answer_of_sales_is_taken(tmp_path: Path) -> None:
    def answered() -> bool:
        with suppress(TransientError):
            publisher.publish(Output("t", b"k", b"again"))
            return True
        return False

    with broker_or_skip(tmp_path) as kafka:
        make_topic(kafka, "t")
        publisher = KafkaPublisher(KafkaAddress.parse(kafka, {"log_level": "0"}), patience_seconds=5)
        for _ in range(3):
            publisher.publish(Output("t", b"k", b"before"))
        forget(kafka, "t")
        with pytest.raises(TransientError, match="OUT_OF_ORDER_SEQUENCE_NUMBER"):
            publisher.publish(Output("t", b"k", b"lost"))

        until(answered, 20, "an answer that is taken again")
        publisher.close()
