"""Two replays at once: the earlier one ends in its line alone."""

from __future__ import annotations

import subprocess
import sys

import pytest

from schemas.topics import MARKETING_EVENTS
from tests.integration.baton.installation import Installation

pytestmark = pytest.mark.kafka

PROGRAM = """
import sys
from baton.provisioning import kafka_address
from baton.refusal import Refusal
from baton.settings import Settings
from baton.transactions import Outbound
from streaming.stage import Output

address, topic = kafka_address(Settings()), sys.argv[1]
with Outbound(address, "both") as first:
    first.send([Output(topic, b"k", b"first")])
    with Outbound(address, "both") as second:
        second.send([Output(topic, b"k", b"second")])
        try:
            first.send([Output(topic, b"k", b"too late")])
        except Refusal as refusal:
            print(refusal.message, file=sys.stderr)
"""


def test_of_two_replays_the_one_that_ends_says_so_in_one_line(here: Installation) -> None:
    topic = here.prefix + MARKETING_EVENTS
    said = subprocess.run([sys.executable, "-c", PROGRAM, topic], capture_output=True, text=True, timeout=60)

    assert said.stderr == "another replay has begun and goes on\n"
    assert here.values(MARKETING_EVENTS) == [b"first", b"second"]
