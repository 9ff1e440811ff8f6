"""What can go wrong in an engine, by what is to be done about it."""

from __future__ import annotations


class Refused(Exception):
    """The broker did not take the round; it was rolled back, and is fetched again where it is still ours."""


class Unsent(Exception):
    """Offsets could not be sent, by a producer that is of no more use."""


class TooLarge(Exception):
    """The round was rolled back since a record that it writes is larger than its topic takes."""


class SessionLost(Exception):
    """Membership or producer are gone for good; a new session mends it."""


class LeftOutside(SessionLost):
    """The group's coordinator answers others, but not this consumer, which cannot be closed either."""


class Unsettled(Exception):
    """Not known yet what a partition goes on from; asked again."""


class OffsetsGone(Unsettled):
    """The broker knows no offset of partitions that were worked on."""


class BreakerOpened(Exception):
    """Too much fails: the round in hand is not committed."""


class EngineBroken(Exception):
    """Nothing that the engine could do mends this: the process ends, and the text says what a person has to do."""


class TopicMissing(EngineBroken):
    """A topic that a stage needs is not there, or not as it has to be."""


class Unanswered(TopicMissing):
    """The brokers did not say which topics there are."""


class NotRestored(EngineBroken):
    """The end of the changelog was not reached: nothing is processed on part of the state."""
