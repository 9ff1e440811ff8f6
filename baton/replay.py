"""`baton failed replay`: failed records go back to where they came from.

First all that was asked for is looked at, and nothing is sent where something is wrong with any of it. Then it goes in
small transactions, each of some records and the notes in `baton.replays` that they were replayed: both or neither.
There is one transactional id, so of two replays at once the later one goes on and the earlier one ends.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from baton import failed, replays
from baton.chains import failed_again
from baton.counting import counted
from baton.failed import FailedRecord, Selection
from baton.kept import Gone, Kept
from baton.overtaken import Suspects, overtaken
from baton.patch import DoesNotApply, Patch
from baton.provisioning import kafka_address
from baton.records import Spans, partitions_of
from baton.refusal import NO, Refusal
from baton.replays import Replays
from baton.settings import Settings
from baton.transactions import Outbound, TooLargeForTopic
from schemas.headers import REPLAY_OF
from schemas.topics import REPLAYS
from streaming.stage import Output

AT_ONCE, BYTES_AT_ONCE = 500, 4_000_000
"""Records and bytes of a transaction: readers of the topic wait while one is open."""
FAULTS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for. `again`: also what was replayed before, or was overtaken (see `baton.overtaken`).

    Ids that are named are replayed however often, but of a chain of failures only the latest (see `baton.chains`); and
    not what was set aside, for no stage stands behind its topic that would let it count once. Notices only where a
    patch makes events of them.
    """

    selection: Selection
    patch: Patch | None = None
    again: bool = False

    def wants(self, record: FailedRecord, known: Replays) -> bool:
        """Whether a record that was selected is to be replayed."""
        if record.is_notice and self.patch is None and not self.selection.ids:
            return False
        as_named = bool(self.selection.ids) and not record.set_aside
        return self.again or as_named or known.of(record) is None

    def asks_for(self, record: FailedRecord, known: Replays) -> bool:
        """Whether any failed record is selected, and is to be replayed."""
        return self.selection.holds(record) and self.wants(record, known)


@dataclass(slots=True)
class Plan:
    """What would be done.

    `groups`: how many, by stage, reason and topic. `left_out`: how many were replayed before. `notices`: how many are
    left out since they are a platform's notices. `overtaken`: ids left out since a newer record of their key tells all.
    `failed_again`: ids left out since a replay of them failed later and goes in their place (see `baton.chains`).
    `gone`: ids left out since only a note is left of them, which the ledger does not know. `faults`: ids and why they
    cannot be replayed, the first few.
    """

    request: Request
    where: Spans
    groups: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    left_out: int = 0
    notices: int = 0
    failed_again: set[str] = field(default_factory=set)
    overtaken: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    faulty: int = 0
    faults: list[tuple[str, str]] = field(default_factory=list)
    partitions: dict[str, int] = field(default_factory=dict)

    @property
    def records(self) -> int:
        """How many would be replayed."""
        return sum(self.groups.values())

    @property
    def found(self) -> int:
        """How many records were selected, those that are left out among them."""
        sets = len(self.failed_again) + len(self.overtaken) + len(self.gone)
        return self.records + self.left_out + self.notices + self.faulty + sets

    def refuse(self, record: FailedRecord, why: object) -> None:
        """Note why a record cannot be replayed."""
        self.faulty += 1
        if len(self.faults) < FAULTS_SHOWN:
            self.faults.append((record.id, str(why)))


def plan(settings: Settings, request: Request) -> Plan:
    """Look at all that was asked for; nothing is sent. Raises `Refusal` for ids that are not there."""
    made = Plan(request, failed.standing(settings, request.selection))
    known, missing = replays.known(settings), set(request.selection.ids)
    # Where nothing was replayed, and of one that is named alone, there is nothing to be read for it.
    if known and len(request.selection.ids) != 1:
        chosen = partial(request.asks_for, known=known)
        # What ties two ids that are named together may be named by nobody, and stand in another partition.
        around = failed.all_standing(settings, request.selection) if request.selection.ids else made.where
        made.failed_again = failed_again(failed.records(settings, None, around), chosen, known)
    suspects, kinds = Suspects(settings.topic_prefix), {}
    with Kept(settings) as kept:
        for one in failed.records(settings, request.selection, made.where):
            missing.discard(one.id)
            if not request.wants(one, known):
                made.notices += one.is_notice
                made.left_out += not one.is_notice
            elif one.id in made.failed_again:
                continue
            elif why := _obstacle(settings, one, made):
                made.refuse(one, why)
            elif (whole := _whole(one, made, kept)) is not None:
                made.groups[one.stage, one.reason, one.topic] += 1
                if not request.again and suspects.take(whole):
                    kinds[one.id] = (one.stage, one.reason, one.topic)
    made.overtaken = overtaken(settings, suspects)
    made.groups -= Counter(kinds[name] for name in made.overtaken)
    if missing:
        names = ", ".join(sorted(missing)[:FAULTS_SHOWN])
        raise Refusal(f"there is no failed record {names}", "See `baton failed list`", NO)
    return made


def replay(
    settings: Settings,
    plan: Plan,
    progress: Callable[[int], None] = lambda _: None,
    clock: Callable[[], float] = time.time,
) -> int:
    """Do what was planned; gives how many records were replayed. `progress` is told of each few that are safe.

    Raises `Refusal` where it could not be done, or not to the end; what was done until then stays done, and noted.
    """
    address, notes = kafka_address(settings), settings.topic_prefix + REPLAYS
    if not partitions_of(address, notes):
        raise Refusal(f"there is no topic {notes}", "Create it: `baton topics apply`")
    done = 0
    with Outbound(address, f"{settings.topic_prefix}baton-replay") as outbound, Kept(settings) as kept:
        known = replays.known(settings)  # read once nobody else writes any more
        left_out = plan.failed_again | plan.overtaken | plan.gone
        found = failed.records(settings, plan.request.selection, plan.where)
        wants = (one for one in found if plan.request.wants(one, known) and one.id not in left_out)
        for wanted in _in_parts(kept.whole(one) for one in wants):
            outputs = [replayed(one, plan.request.patch, plan.partitions[one.topic]) for one in wanted]
            markers = [Output(notes, *known.marker(one, clock())) for one in wanted]
            try:
                outbound.send([*outputs, *markers])
            except Refusal as refused:
                why = _named(refused, wanted, outputs) if isinstance(refused, TooLargeForTopic) else refused
                before = counted(done, "record was", "records were")
                raise Refusal(f"{why.message}; {before} replayed before", why.mend, NO) from refused
            done += len(wanted)
            progress(len(wanted))
    return done


def replayed(record: FailedRecord, patch: Patch | None = None, partitions: int | None = None) -> Output:
    """The record as it was, for the topic and partition that it came from, and with a header that says whose it is.

    `partitions`: how many its topic has now. Where the original one is not among them, the key decides, as ever.
    Raises `DoesNotApply`.
    """
    value = record.value if patch is None else patch.apply(record.value)
    there = record.partition >= 0 and (partitions is None or record.partition < partitions)
    headers = [*record.headers, (REPLAY_OF, record.id.encode())]
    return Output(record.topic, record.key, value, headers, record.partition if there else None)


def _named(why: TooLargeForTopic, wanted: Sequence[FailedRecord], outputs: Sequence[Output]) -> TooLargeForTopic:
    """The same, with the largest record of each topic that refused one: the broker does not say which it was."""
    largest: dict[str, tuple[int, str]] = {}
    for one, output in zip(wanted, outputs, strict=True):
        if output.topic in why.topics:
            size = len(output.value or b"")
            largest[output.topic] = max(largest.get(output.topic, (-1, "")), (size, one.id))
    words = [f": the largest for {topic} is {name}, of {size:,} bytes" for topic, (size, name) in largest.items()]
    return TooLargeForTopic(why.topics, "".join(words))


def _obstacle(settings: Settings, record: FailedRecord, plan: Plan) -> str:
    """Why a record cannot be replayed, whatever its value; empty where nothing speaks against it."""
    topic = record.topic
    if record.is_notice and plan.request.patch is None:
        return "it is a platform's notice, and makes no event as it is; --edit can make one of it"
    if not topic:
        return "it does not say which topic it came from"
    if topic not in plan.partitions:
        plan.partitions[topic] = partitions_of(kafka_address(settings), topic)
    if not plan.partitions[topic]:
        return f"there is no topic {topic} any more"
    return ""


def _whole(record: FailedRecord, plan: Plan, kept: Kept) -> FailedRecord | None:
    """The record, to which the patch applies; None where `plan` says why it is not replayed."""
    try:
        whole = kept.whole(record)
        if plan.request.patch is not None:
            plan.request.patch.apply(whole.value)
    except Gone as why:
        if plan.request.selection.ids:
            plan.refuse(record, why)
        else:
            plan.gone.add(record.id)
    except (DoesNotApply, Refusal) as why:
        plan.refuse(record, why)
    else:
        return whole
    return None


def _in_parts(found: Iterator[FailedRecord]) -> Iterator[Sequence[FailedRecord]]:
    """Some records at a time, in order."""
    some: list[FailedRecord] = []
    size = 0
    for one in found:
        some.append(one)
        size += len(one.value or b"")
        if len(some) >= AT_ONCE or size >= BYTES_AT_ONCE:
            yield some
            some, size = [], 0
    if some:
        yield some
