"""Former owners of partitions, and what the dead among them left open.

Each worker's transactional id stands in the metadata of the offsets that it committed, and it claims its partitions
before it works on them; it is the client id of its membership, too. So a successor sees whose partition it was, and
whether that worker is still there. A dead one's transaction holds up every reader of the topics that it wrote to, until
the broker aborts it after the transaction's timeout and up to 10 s more; taking its transactional id aborts it at once.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from time import monotonic

from confluent_kafka import TopicPartition

from streaming.faust import cluster
from streaming.faust.faults import Refused, SessionLost
from streaming.faust.producer import TransactionalProducer
from streaming.faust.settings import EngineSettings
from streaming.faust.watchdog import Watchdog

log = logging.getLogger(__name__)

AGAIN_SECONDS, SETTLE_AGAIN_SECONDS = 60.0, 600.0
"""One that may live is not robbed of its producer more often: what that does not end will not end by more of it."""


class FormerOwners:
    """Aborts the transactions of former owners, of each once per assignment."""

    def __init__(self, settings: EngineSettings, watchdog: Watchdog) -> None:
        self.settings, self.watchdog = settings, watchdog
        self._aborted: set[str] = set()
        self._last: dict[str, float] = {}  # when each was aborted, over all assignments
        self._settled: dict[str, float] = {}  # and when what the broker had forgotten of it was ended

    def forget(self) -> None:
        """A new assignment: who was dead may live again."""
        self._aborted.clear()

    def abort_the_dead(self, names: Iterable[str]) -> None:
        """Abort what those of `names` left open that are no members of the group any more.

        Raises KafkaException, TransientError.
        """
        former = self._others(names)
        if former:
            for name in former - cluster.group(self.settings).members:
                self.abort(name)

    def abort_all(self, names: Iterable[str]) -> None:
        """Abort what `names` left open; one that lives loses its producer by that, and starts a new session."""
        for name in self._others(names):
            if monotonic() - self._last.get(name, -AGAIN_SECONDS) >= AGAIN_SECONDS:
                self.abort(name)

    def abort(self, name: str) -> None:
        """Abort what `name` left open. Raises KafkaException."""
        log.info("%s: aborting what %s may have left open", self.settings.group, name)
        self._take(name)

    def end_what_hangs(self, names: Iterable[str], places: Sequence[TopicPartition], member: bytes) -> None:
        """Send `places` by the names of former owners, and abort that.

        A broker has been seen to forget the end of a transaction: offsets of it stay open, for nobody is at it any
        more. The next end of a transaction of the same name ends those of all its partitions, as that one ends; so it
        must be an abort, for what was committed stands in the changelogs. `member`: the group's word that the
        partitions are ours. Raises KafkaException, Refused.
        """
        for name in set(names) - {self.settings.transactional_id, ""}:
            if monotonic() - self._settled.get(name, -SETTLE_AGAIN_SECONDS) >= SETTLE_AGAIN_SECONDS:
                log.warning("%s: ending what hangs of %s", self.settings.group, name)
                self._take(name, places, member)
                self._settled[name] = monotonic()

    def _take(self, name: str, places: Sequence[TopicPartition] = (), member: bytes = b"") -> None:
        former = TransactionalProducer(self.settings, name, self.watchdog)
        try:
            former.open()
            if places:
                former.send_in_vain(list(places), member)
        except SessionLost as why:  # the other one's, not ours: it has taken its name back
            raise Refused(str(why)) from why
        finally:
            former.close()
        self._aborted.add(name)
        self._last[name] = monotonic()

    def _others(self, names: Iterable[str]) -> set[str]:
        return set(names) - {self.settings.transactional_id, ""} - self._aborted
