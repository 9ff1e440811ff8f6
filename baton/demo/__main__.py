"""`python -m baton.demo`: the demo's traffic, a process of its own that `baton up --demo` starts."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import httpx

from baton.demo.memory import take_turn
from baton.demo.replies import Replies
from baton.demo.schedule import schedule
from baton.demo.traffic import Traffic
from baton.logs import set_up


def main() -> None:
    """Send this run's part of the world's traffic, answer for sales, and end."""
    log = set_up("traffic")
    environment = os.environ
    rate, people = float(environment["BATON_DEMO_RATE"]), int(environment["BATON_DEMO_PEOPLE"])
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    turn = take_turn(Path(environment["BATON_DATA_DIR"]), people)
    log.info("the demo begins", people=turn.people, first=turn.first, events_a_second=rate)
    with (
        httpx.Client(base_url=environment["BATON_DEMO_COLLECTOR"], timeout=10) as collector,
        httpx.Client(base_url=environment["BATON_DEMO_SALES"], timeout=10) as sales,
    ):
        traffic = Traffic(collector, environment["GOOGLE_LEADS_KEY"], stopping, clock=time.monotonic)
        replies = Replies(sales, turn.seed, stopping, traffic.leads)
        answering = threading.Thread(target=replies.run, name="replies", daemon=True)
        answering.start()
        traffic.run(schedule(turn.seed, turn.first, rate, people))
        words = "the demo was stopped" if stopping.is_set() else "the demo has told all it had"
        log.info(words, sent=traffic.sent, refused=traffic.refused)
        stopping.wait(30.0)  # sales answers the last leads
        stopping.set()
        answering.join(5.0)


if __name__ == "__main__":
    main()
