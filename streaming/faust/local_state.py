"""State on this machine's disk, so that a restart reads only the rest of the changelog.

A file stands for a point of the changelog. A point is taken between two rounds: the end of the changelog is asked for,
then a transaction is committed that moves nothing. The broker takes it from the partition's owner alone, so before that
end lies nothing that is not in the state. Writing is a thread's, a bit at a time; it sees a layer that changes no more.

A file is used where it is whole, is of this very topic, and is younger than half the time for which tombstones are
kept: what it holds and was deleted since is then deleted by the rest of the changelog. Else all is read anew.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from time import monotonic

from confluent_kafka import Consumer, KafkaException

from streaming.faust.assignment import Assignment, Partition
from streaming.faust.cluster import NO_ID, identity
from streaming.faust.faults import Refused
from streaming.faust.offsets import ends
from streaming.faust.settings import EngineSettings
from streaming.faust.state_file import Damaged, Point, StateFile
from streaming.faust.state_writer import Job, StateWriter, file_of, sweep
from streaming.stage import Codec

log = logging.getLogger(__name__)

POINT_SECONDS = 2.0
"""A stop must not wait long for a broker that is away."""
SHARE = 10
"""A file is written anew once as many records have come on top as this part of the keys: fewer are read in no time."""


class LocalState:
    """The files of one stage, for one session of its engine."""

    def __init__(self, settings: EngineSettings, changelog: str, codec: Codec[object]) -> None:
        self.settings, self.changelog, self.codec = settings, changelog, codec
        self.folder = settings.state_folder(changelog)
        self._looked: set[int] = set()
        self._identity: tuple[str, float] | None = None
        self._writer: StateWriter | None = None
        self._due = 0.0
        sweep(self.folder)

    def abandon(self) -> None:
        """A new assignment: look again."""
        self._looked.clear()
        self._identity = None

    def load_next(self, waiting: Sequence[Partition]) -> bool:
        """Take up the file of one more of these partitions, where nothing is known of its state; False: all were asked.

        Raises TransientError.
        """
        for part in waiting:
            if part.number not in self._looked and part.position == 0 and not part.state.origin:
                self._looked.add(part.number)
                self.load(part)
                return True
        return False

    def load(self, part: Partition) -> None:
        """Take up the file of a partition of which nothing is known, if it can be used. Raises TransientError."""
        if self._identity is None:
            self._identity = identity(self.settings, self.changelog)
        part.state.origin, kept_seconds = self._identity
        path = file_of(self.folder, part.number)
        try:
            found = StateFile(path)
        except FileNotFoundError:
            return
        except (OSError, Damaged, ValueError, KeyError, TypeError) as error:
            log.warning("%s is not used, all of %s-%d is read: %s", path, self.changelog, part.number, error)
            return
        point, age = found.point, time.time() - found.point.taken_at
        if (point.topic, point.partition, point.topic_id) != (self.changelog, part.number, part.state.origin):
            log.warning("%s is not used: it is of another topic, or of one that was made anew", path)
        elif not 0 <= age < kept_seconds / 2:
            log.info("%s is not used: %.0f s old, and tombstones are kept for %.0f s", path, age, kept_seconds)
        else:
            part.state.rest_on(found, self.codec.loads)
            part.position = point.position

    def tend(self, asker: Consumer, assignment: Assignment, prove: Callable[[Sequence[Partition]], None]) -> None:
        """Between two rounds: begin to write where that is due, take up what was written. Raises SessionLost."""
        if self._writer is not None and self._writer.done:
            self._end_writing()
        if monotonic() >= self._due and self._writer is None:
            self.begin(asker, assignment, prove)

    def begin(self, asker: Consumer, assignment: Assignment, prove: Callable[[Sequence[Partition]], None]) -> None:
        """Take a point and write the partitions that have changed enough. `prove`: commits offsets as they are."""
        parts = list(assignment.parts.values())
        if self._writer is not None or not assignment.is_member or not all(part.running for part in parts):
            return
        self._due = monotonic() + self.settings.local_state_seconds
        parts = [part for part in parts if part.state.origin not in ("", NO_ID) and self._changed(part)]
        if not parts:
            return
        try:
            taken_at = time.time()
            around = ends(asker, self.changelog, [part.number for part in parts], POINT_SECONDS)
            prove(parts)
        except (KafkaException, Refused) as why:
            log.warning("%s: no state is written now: %s", self.changelog, why)
            return
        jobs = []
        for part in parts:
            low, high = around[part.number]
            point = Point(self.changelog, part.state.origin, part.number, high, low, taken_at)
            jobs.append(Job(part.state, point, file_of(self.folder, part.number)))
        self._writer = StateWriter(jobs, self.codec)

    def close(self, seconds: float) -> None:
        """Give what is being written so much time, then give it up."""
        if self._writer is not None:
            self._writer.hurry(seconds)
            self._end_writing()

    def _changed(self, part: Partition) -> bool:
        return part.state.tail >= max(self.settings.local_state_records, part.state.size // SHARE)

    def _end_writing(self) -> None:
        if self._writer is not None:
            self._writer.take_up()
            self._writer = None
