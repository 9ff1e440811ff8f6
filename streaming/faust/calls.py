"""Librdkafka's transactional calls: repeated where that is safe, and never waited for without end."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from time import monotonic
from typing import Any

from confluent_kafka import KafkaException, Producer

from streaming.faust.watchdog import Watchdog

log = logging.getLogger(__name__)

HUNG_SECONDS = 12.0  # librdkafka takes up to 10 s where it was given 5
HURRIED_SECONDS = 1.0
"""What a call gets once the process is to end."""
ABORT_PATIENCE_SECONDS = 12.0
"""For `abort_transaction`. After a broker's restart or pause it times out again and again; a new producer of the same
id goes on at once."""


def insist(watchdog: Watchdog, call: Callable[..., Any], *args: Any, seconds: float, patience: float) -> None:
    """Make one of these calls, of `seconds` at most each time, again after a retriable error, a timeout among them.

    That is done for `patience` seconds, or until the process is to end (`Watchdog.hurry`); then, and after any other
    error, KafkaException is raised. A call that timed out goes on where it was when it is made again. One that outlasts
    its own time by far never comes back (seen after a broker's crash): nothing but the end of the process mends that,
    for what hangs has the locks that others wait for.
    """
    until = monotonic() + patience
    while True:
        try:
            with watchdog.limit(call.__name__, seconds + HUNG_SECONDS):
                call(*args, min(seconds, HURRIED_SECONDS) if watchdog.hurried else seconds)
        except KafkaException as error:
            if not error.args[0].retriable() or monotonic() > until or watchdog.hurried:
                raise
            log.warning("%s: %s, again", call.__name__, error.args[0])
        else:
            return


def let_go(last: list[Producer]) -> None:
    """Drop a producer that nobody but this list holds. What it has open is left to whoever takes its id next.

    The last one to hold a client waits until its threads have ended, which may take a while; nobody waits here.
    """
    last[0].purge(blocking=False)
    threading.Thread(target=last.clear, name="a producer that ends", daemon=True).start()
