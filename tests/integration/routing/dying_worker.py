"""A routing worker as it ships that is killed as its relay is about to commit: the broker has the records by then."""

from __future__ import annotations

import os
import signal
from typing import Any
from unittest.mock import patch

from baton.__main__ import main
from services.routing import outgoing
from streaming.faust.calls import insist

TOLD = "killed with a transaction of the relay open"


def insist_or_die(watchdog: Any, call: Any, *args: Any, **limits: float) -> None:
    """As `insist`, up to the first commit."""
    if call.__name__ == "commit_transaction":
        call.__self__.flush(30)
        print(TOLD, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    insist(watchdog, call, *args, **limits)


if __name__ == "__main__":
    with patch.object(outgoing, "insist", insist_or_die):
        main()
