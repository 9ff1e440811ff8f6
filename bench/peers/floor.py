"""The handler alone: no Kafka, records and state in memory. Prints CPU µs an event, and writes what must come out.

    floor.py TOTAL ACTIVE FIRST LAST [REFERENCE]

REFERENCE: a file to write the digest of each output to, in order of the world; and the first outputs themselves.
"""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Iterator
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from time import process_time
from typing import Any

import msgspec

from bench.peers.work import Record, Work
from bench.world import number_of, records
from streaming.faust.worker import GC_THRESHOLDS
from streaming.partition import partition_of
from streaming.stage import Output

PARTITIONS, ROUND, WHOLE, DIGEST = 4, 4_000, 2_000, 8


class _Id(msgspec.Struct):
    event_id: str


_id = msgspec.json.Decoder(_Id).decode


def rounds(total: int, active: int) -> Iterator[list[tuple[int, list[Any]]]]:
    """Records of the world in rounds, by partition."""
    world = records(total, active)
    while taken := list(islice(world, ROUND)):
        parts: dict[int, list[Any]] = {}
        for key, value, headers, timestamp in taken:
            parts.setdefault(partition_of(key, PARTITIONS), []).append(Record(key, value, headers, timestamp))
        yield list(parts.items())


def main(total: int, active: int, first: int, last: int, reference: Path | None) -> None:
    """Work, and time the records from `first` to `last`."""
    work, state, spent, done = Work(), {n: {} for n in range(PARTITIONS)}, 0.0, 0  # type: ignore[var-annotated]
    digests, whole = bytearray(total * DIGEST), []
    gc.set_threshold(*GC_THRESHOLDS)
    gc.freeze()
    timed = 0
    for parts in rounds(total, active):
        outputs: list[Output] = []
        start = process_time()
        for number, of_one in parts:
            outputs += work.many(of_one, state[number])[0]
        took = process_time() - start
        if first <= done < last:
            spent, timed = spent + took, timed + len(outputs)
        done += len(outputs)
        if reference is not None:
            for output in outputs:
                assert output.value is not None
                n = number_of(_id(output.value).event_id)
                digests[n * DIGEST : (n + 1) * DIGEST] = blake2b(output.value, digest_size=DIGEST).digest()
                if n < WHOLE:
                    whole.append(output.value.decode())
        elif done >= last:
            break
    if reference is not None:
        reference.write_bytes(digests)
        reference.with_suffix(".json").write_text("\n".join(whole))
    print(json.dumps({"events": timed, "cpu_seconds": spent}))


if __name__ == "__main__":
    total, active, first, last = (int(word) for word in sys.argv[1:5])
    main(total, active, first, last, Path(sys.argv[5]) if len(sys.argv) > 5 else None)
