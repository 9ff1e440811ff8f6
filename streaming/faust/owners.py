"""Former owners of partitions, and what the dead among them left open.

Each worker's transactional id stands in the metadata of the offsets that it committed, and it claims its partitions
before it works on them; it is the client id of its membership, too. So a successor sees whose partition it was, and
whether that worker is still there. A dead one's transaction holds up every reader of the topics that it wrote to, until
the broker aborts it after the transaction's timeout and up to 10 s more; taking its transactional id aborts it at once.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from time import monotonic

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from streaming.faust.offsets import ASK_SECONDS
from streaming.faust.producer import TransactionalProducer
from streaming.faust.settings import EngineSettings
from streaming.faust.watchdog import Watchdog

log = logging.getLogger(__name__)

AGAIN_SECONDS = 60.0
"""One that may live is not robbed of its producer more often: what that does not end will not end by more of it."""


class FormerOwners:
    """Aborts the transactions of former owners, of each once per assignment."""

    def __init__(self, settings: EngineSettings, admin: AdminClient, watchdog: Watchdog) -> None:
        self.settings, self.admin, self.watchdog = settings, admin, watchdog
        self._aborted: set[str] = set()
        self._last: dict[str, float] = {}  # when each was aborted, over all assignments

    def forget(self) -> None:
        """A new assignment: who was dead may live again."""
        self._aborted.clear()

    def abort_the_dead(self, names: Iterable[str]) -> None:
        """Abort what those of `names` left open that are no members of the group any more. Raises KafkaException."""
        former = self._others(names)
        if former:
            for name in former - self._living():
                self.abort(name)

    def abort_all(self, names: Iterable[str]) -> None:
        """Abort what `names` left open; one that lives loses its producer by that, and starts a new session."""
        for name in self._others(names):
            if monotonic() - self._last.get(name, -AGAIN_SECONDS) >= AGAIN_SECONDS:
                self.abort(name)

    def abort(self, name: str) -> None:
        """Abort what `name` left open. Raises KafkaException."""
        log.info("%s: aborting what %s may have left open", self.settings.group, name)
        former = TransactionalProducer(self.settings, name, self.watchdog)
        try:
            former.open(self.admin)
        finally:
            former.close()
        self._aborted.add(name)
        self._last[name] = monotonic()

    def _others(self, names: Iterable[str]) -> set[str]:
        return set(names) - {self.settings.transactional_id, ""} - self._aborted

    def _living(self) -> set[str]:
        group = self.settings.group
        answer = self.admin.describe_consumer_groups([group], request_timeout=ASK_SECONDS)[group]
        try:
            return {member.client_id for member in answer.result().members}
        except KafkaException as error:
            log.warning("%s: who is a member cannot be told (%s)", group, error.args[0])
            raise
