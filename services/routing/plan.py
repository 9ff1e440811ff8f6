"""The plan of routing: `routing.yaml` and `roster.yaml`, checked, compiled and frozen."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rules import condition
from rules.declaration import EACH, as_declared
from rules.document import Document
from rules.document import load as load_document
from rules.faults import Fault, FaultyConfiguration
from rules.spelling import mend_for
from rules.vocabulary import Vocabulary
from services.routing import roster as rosters
from services.routing.declared import Method, QueueKeys, RoutingKeys
from services.routing.roster import Rep, Roster
from services.routing.vocabulary import SCORED_LEAD

Holds = Callable[[Any, float], bool]
Priority = Literal["high", "normal", "low"]

EVERYBODY = "all"
LONGEST_OFFER = 90 * 86_400.0
_CONDITIONS: Mapping[tuple[str | int, ...], Vocabulary] = {
    (where, EACH, "when"): SCORED_LEAD for where in ("suppress", "rules")
}
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,180}")


@dataclass(frozen=True, slots=True)
class Offer:
    """How long a rep has to accept (`within`: seconds of business time), how often it is tried, and what follows."""

    within: float
    tries: int
    then: Literal["manager", "wait"]


@dataclass(frozen=True, slots=True)
class Overflow:
    """A lead that waited for `after` seconds goes to the queue `to`."""

    after: float
    to: str


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue and the people behind it, in the order in which the pool names them."""

    id: str
    members: tuple[Rep, ...]
    method: Method = "weighted_round_robin"
    skills: frozenset[str] = frozenset()
    offer: Offer | None = None
    overflow: Overflow | None = None
    manager: str | None = None

    @property
    def askable(self) -> frozenset[str]:
        """Ids of those who may get a lead of the queue at some time or other: who has the skills."""
        return frozenset(rep.id for rep in self.members if self.skills <= rep.skills)

    @property
    def goes_to_manager(self) -> bool:
        """Whether a lead that nobody takes is for a manager to decide; else it waits for somebody."""
        return self.manager is not None if self.offer is None else self.offer.then == "manager"


@dataclass(frozen=True, slots=True)
class Suppression:
    """Leads that nobody gets, and why."""

    id: str
    holds: Holds
    reason: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """Leads that go to `queue`. `holds(lead, now)` says whether the rule matches."""

    id: str
    holds: Holds
    queue: str
    priority: Priority = "normal"
    words: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """All that routing goes by."""

    rules: tuple[Rule, ...]
    queues: Mapping[str, Queue]
    roster: Roster
    rules_hash: str
    suppress: tuple[Suppression, ...] = ()

    @property
    def roster_hash(self) -> str:
        """Hash of the roster in force."""
        return self.roster.hash


def load(routing_path: Path, roster_path: Path) -> Plan:
    """Read both files. Raises `FaultyConfiguration` with every fault of both."""
    faults: list[Fault] = []
    roster: Roster | None = None
    document: Document | None = None
    try:
        roster = rosters.load(roster_path)
    except FaultyConfiguration as exc:
        faults += exc.faults
    try:
        document = load_document(routing_path)
        plan = read(document, roster)
    except FaultyConfiguration as exc:
        raise FaultyConfiguration([*faults, *exc.faults]) from None
    if faults:
        raise FaultyConfiguration(faults)
    return plan


def read(document: Document, roster: Roster | None) -> Plan:
    """The plan that `document` declares for `roster` (None: a faulty one; pools are not checked then).

    Raises `FaultyConfiguration` with every fault of the document.
    """
    keys = as_declared(document, RoutingKeys, _CONDITIONS)
    checker = _Checker(document, roster or Roster({}, ""), people_known=roster is not None)
    queues = checker.queues(keys)
    suppress = tuple(
        Suppression(f"suppress-{index + 1}", holds, one.reason, words)
        for index, one in enumerate(keys.suppress)
        for holds, words in checker.condition(one.when, ("suppress", index, "when"))
    )
    rules = checker.rules(keys, queues)
    if checker.faults:
        raise FaultyConfiguration(checker.faults)
    return Plan(rules, queues, checker.roster, document.digest, suppress)


@dataclass(slots=True)
class _Checker:
    """Gathers every fault of a document instead of stopping at the first."""

    document: Document
    roster: Roster
    people_known: bool
    faults: list[Fault]

    def __init__(self, document: Document, roster: Roster, *, people_known: bool) -> None:
        self.document, self.roster, self.people_known, self.faults = document, roster, people_known, []

    def fault(self, loc: Sequence[str | int], message: str, mend: str) -> None:
        self.faults.append(self.document.fault(loc, message, mend))

    def condition(self, data: Any, loc: Sequence[str | int]) -> list[tuple[Holds, str]]:
        """One pair of function and words; none where the condition is faulty."""
        try:
            parsed = condition.parse(data, SCORED_LEAD, self.document, loc)
        except FaultyConfiguration as exc:
            self.faults += exc.faults
            return []
        return [(parsed.compile(), parsed.words())]

    def queues(self, keys: RoutingKeys) -> dict[str, Queue]:
        found: dict[str, Queue] = {}
        names = [queue.id for queue in keys.queues]
        for index, declared in enumerate(keys.queues):
            loc = ("queues", index)
            if declared.id in found:
                self.fault((*loc, "id"), f"the queue `{declared.id}` stands here twice", "Rename one of the two.")
            if not _TOPIC.fullmatch(declared.id) or declared.id in (".", ".."):
                mend = "Use letters, digits, dots, dashes and underscores only, 180 at most: it becomes a topic."
                self.fault((*loc, "id"), f"`{declared.id}` cannot be part of a topic's name", mend)
            if declared.distribute == "best_fit":
                mend = "Use weighted_round_robin, least_loaded or direct."
                self.fault((*loc, "distribute"), "`best_fit` is not there yet", mend)
            if declared.overflow and (declared.overflow.to not in names or declared.overflow.to == declared.id):
                mend = mend_for(declared.overflow.to, [name for name in names if name != declared.id])
                self.fault((*loc, "overflow", "to"), f"`{declared.overflow.to}` is no other queue", mend)
            if declared.offer is not None and declared.offer.within > LONGEST_OFFER:
                mend = "Write 90 days or less."
                self.fault((*loc, "offer", "within"), "nobody waits for an answer for so long", mend)
            if self.people_known and declared.manager and declared.manager not in self.roster.reps:
                mend = mend_for(declared.manager, self.roster.reps)
                self.fault((*loc, "manager"), f"unknown rep `{declared.manager}`", mend)
            found[declared.id] = _queue(declared, self._members(declared, (*loc, "pool")))
        return found

    def _members(self, queue: QueueKeys, loc: Sequence[str | int]) -> tuple[Rep, ...]:
        pool, everybody = queue.pool, self.roster.reps
        if (pool.team is None) == (pool.reps is None):
            self.fault(loc, "a pool is a team or a list of reps", "Write `team: …` or `reps: […]`.")
            return ()
        if not self.people_known:
            return ()
        if pool.reps is not None:
            for index, name in enumerate(pool.reps):
                if name not in everybody:
                    self.fault((*loc, "reps", index), f"unknown rep `{name}`", mend_for(name, everybody))
            members = [everybody[name] for name in dict.fromkeys(pool.reps) if name in everybody]
        else:
            members = [rep for rep in everybody.values() if pool.team in (EVERYBODY, rep.team)]
        if not any(frozenset(pool.skills) <= rep.skills for rep in members):
            teams = ", ".join(sorted({rep.team for rep in everybody.values()}))
            mend = f"Name people of the roster who have these skills; its teams are: {teams}."
            self.fault(loc, f"the pool of `{queue.id}` is empty", mend)
        return tuple(members)

    def rules(self, keys: RoutingKeys, queues: Mapping[str, Queue]) -> tuple[Rule, ...]:
        found: list[Rule] = []
        seen: set[str] = set()
        catch_all: int | None = None
        for index, declared in enumerate(keys.rules):
            loc = ("rules", index)
            if declared.id in seen:
                self.fault((*loc, "id"), f"the rule `{declared.id}` stands here twice", "Rename one of the two.")
            seen.add(declared.id)
            if declared.queue not in queues:
                self.fault((*loc, "queue"), f"unknown queue `{declared.queue}`", mend_for(declared.queue, queues))
            if catch_all is not None:
                mend = f"Move it above `{keys.rules[catch_all].id}`."
                self.fault(loc, f"the rule `{declared.id}` can never match: it stands after the catch-all", mend)
            if (declared.when is None) == (declared.otherwise is None):
                self.fault(loc, f"the rule `{declared.id}` needs a condition", "Write `when: …` or `otherwise: true`.")
            elif declared.otherwise:
                catch_all = index if catch_all is None else catch_all
                found.append(Rule(declared.id, _always, declared.queue, declared.priority, "everything else"))
            else:
                for holds, words in self.condition(declared.when, (*loc, "when")):
                    found.append(Rule(declared.id, holds, declared.queue, declared.priority, words))
        if catch_all is None:
            mend = "End with `- {id: everyone-else, otherwise: true, queue: …}`."
            self.fault(("rules",), "there is no catch-all: a lead that no rule matches would go nowhere", mend)
        return tuple(found)


def _always(_lead: Any, _now: float) -> bool:
    return True


def _queue(keys: QueueKeys, members: tuple[Rep, ...]) -> Queue:
    return Queue(
        id=keys.id,
        members=members,
        method=keys.distribute,
        skills=frozenset(keys.pool.skills),
        offer=None if keys.offer is None else Offer(keys.offer.within, keys.offer.tries, keys.offer.then),
        overflow=None if keys.overflow is None else Overflow(keys.overflow.after, keys.overflow.to),
        manager=keys.manager,
    )
