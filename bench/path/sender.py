"""The senders: web forms and trackers that post events to the collector. A process.

`paced`: an open loop. When each request is due is drawn beforehand; it goes out then, on a connection of its own if the
others still wait for their answers. What is measured of an event counts from when it was due, which is also its
`occurred_at`, so time that a request waits here counts in full (no coordinated omission).

`full`: as fast as the path takes them, with a fixed number of events on their way from the door to the ledger. What
comes out a second is then the highest rate at which the lag does not grow.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import msgspec
import uvloop

from bench.path.schedule import arrivals
from bench.path.wire import NO_ANSWER, Wires
from bench.path.world import bodies, event

LEAD_IN = 0.5
SENDERS = 16
ANSWER_SECONDS = 30.0
_OUTCOME = 'baton_records_total{outcome="'


class Order(msgspec.Struct, kw_only=True):
    """What to do, and where to write what came of it.

    `size`: events a request. `rate` 0: `full`, with `window` events on their way.
    """

    out: str
    door: str
    routing: list[str]
    run: str
    seconds: float
    first: int = 0
    size: int = 1
    rate: float = 0.0
    window: int = 0
    warm: float = 0.0


class Sent(msgspec.Struct, kw_only=True):
    """What came of it. Times in seconds; `began` since the epoch; `behind`: events not routed yet at the end."""

    began: float
    seconds: float
    events: int
    rate: float
    answers: list[float]
    late: list[float]
    statuses: dict[int, int]
    behind: int


class Senders:
    """All of them."""

    def __init__(self, order: Order, session: aiohttp.ClientSession) -> None:
        self.order, self.session, self.wires = order, session, Wires(order.door)
        self.sent = self.routed = self._routed_before = 0
        self.answers: list[float] = []
        self.late: list[float] = []
        self.statuses: Counter[int] = Counter()

    async def paced(self) -> Sent:
        """The open loop."""
        order, size = self.order, self.order.size
        due = arrivals(order.rate / size, order.seconds, seed=order.first)
        ready = list(bodies(order.run, order.first, len(due) * size))
        await self.look(first=True)
        began = time.time() + LEAD_IN
        under_way: set[asyncio.Future[int]] = set()
        for number, offset in enumerate(due):
            at = began + offset
            if (wait := at - time.time()) > 0:
                await asyncio.sleep(wait)
            answer = self._post(ready[number * size : (number + 1) * size], at)
            under_way.add(answer)
            answer.add_done_callback(under_way.discard)
        await self.look()
        behind = self.sent - self.routed
        with suppress(TimeoutError):  # those that are left by then are given up
            await asyncio.wait_for(asyncio.gather(*under_way), ANSWER_SECONDS)
        return self._told(began, order.seconds, self.sent, self.sent / order.seconds, behind)

    async def full(self) -> Sent:
        """The closed loop. The rate is that of what was routed, after `warm` seconds."""
        order = self.order
        await self.look(first=True)
        began = time.time()
        stop = asyncio.Event()
        left = self._endless()
        senders = [asyncio.create_task(self._pour(left, stop)) for _ in range(SENDERS)]
        marked = (began, 0)
        while (now := time.time()) < began + order.warm + order.seconds:
            await asyncio.sleep(0.05)
            await self.look()
            if marked[1] == 0 and now >= began + order.warm:
                marked = (time.time(), self.routed)
        ended, routed = time.time(), self.routed
        behind = self.sent - routed
        stop.set()
        await asyncio.gather(*senders)
        seconds = ended - marked[0]
        return self._told(marked[0], seconds, self.sent, (routed - marked[1]) / seconds, behind)

    async def look(self, *, first: bool = False) -> None:
        """See how many events routing has dealt with."""
        total = 0
        for url in self.order.routing:
            async with self.session.get(url) as answer:
                total += routed_of(await answer.text())
        if first:
            self._routed_before = total
        self.routed = total - self._routed_before

    async def _pour(self, left: Iterator[bytes], stop: asyncio.Event) -> None:
        size = self.order.size
        while not stop.is_set():
            if self.sent - self.routed + size > self.order.window:
                await asyncio.sleep(0.002)
                continue
            with suppress(TimeoutError):
                await asyncio.wait_for(self._post([next(left) for _ in range(size)], time.time()), ANSWER_SECONDS)

    def _endless(self) -> Iterator[bytes]:
        first = self.order.first
        while True:
            yield from bodies(self.order.run, first, 50_000)
            first += 50_000

    def _post(self, batch: Sequence[bytes], at: float) -> asyncio.Future[int]:
        """Post a batch that was due at `at`; gives the status to come. Who cancels it gives the request up."""
        size = len(batch)
        self.sent += size
        occurred = datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds")
        events = [event(body, occurred) for body in batch]
        self.late.append(time.time() - at)

        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def ended(_: object) -> None:
            self.answers.append(time.time() - at)
            self.statuses[NO_ANSWER if answer.cancelled() else answer.result()] += size

        def answered(status: int) -> None:
            if not answer.done():
                answer.set_result(status)

        answer.add_done_callback(ended)
        self.wires.post(b"[%b]" % b",".join(events) if size > 1 else events[0], answered)
        return answer

    def _told(self, began: float, seconds: float, events: int, rate: float, behind: int) -> Sent:
        return Sent(
            began=began,
            seconds=seconds,
            events=events,
            rate=rate,
            answers=self.answers,
            late=self.late,
            statuses=dict(self.statuses),
            behind=behind,
        )


def routed_of(metrics: str) -> int:
    """Of a worker's `/metrics`: the records that routing has dealt with, whatever became of them."""
    lines = (line for line in metrics.splitlines() if line.startswith(_OUTCOME) and 'stage="routing"' in line)
    return sum(int(float(line.rpartition(" ")[2])) for line in lines)


async def send(order: Order) -> Sent:
    """Do as ordered."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(ANSWER_SECONDS)) as session:
        senders = Senders(order, session)
        try:
            return await (senders.paced() if order.rate else senders.full())
        finally:
            senders.wires.close()


def main() -> None:
    """An order on standard input; what came of it goes to a file."""
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    Path(order.out).write_bytes(msgspec.json.encode(uvloop.run(send(order))))


if __name__ == "__main__":
    main()
