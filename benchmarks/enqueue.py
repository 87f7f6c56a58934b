"""``python -m benchmarks.enqueue``: how fast one process hands jobs over, and what one costs it.

Each way enqueues the same messages into an empty Redis, no worker running, one process on a core of its own:
``send_many`` and ``send`` of Envoi, ``apply_async`` of Celery, ``addBulk`` of BullMQ, ``enqueue_job`` of arq.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median

from benchmarks.enqueue_ways import BATCH, PAGES, WAYS
from benchmarks.processes import cpu_seconds
from benchmarks.servers import Servers, servers
from benchmarks.work import PEOPLE, WARMUP_PEOPLE, plan

_BURST = 5
_BULK_GOAL = 10_000.0  # jobs a second with send_many
_SEND_GOAL = 0.5  # milliseconds of CPU of one send


@dataclass(frozen=True, slots=True)
class Speed:
    """One way, medians of its rounds; milliseconds of CPU a job."""

    way: str
    jobs: int
    jobs_per_second: float
    cpu_ms: float
    redis_ms: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure all ways and print their table.

    Returns:
        Exit status: 1 if Envoi missed a goal.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.enqueue", description=__doc__)
    parser.add_argument("--jobs", type=int, default=20_000, help="jobs of a round; the slow ways get a part (20000)")
    parser.add_argument("--rounds", type=int, default=3, help="the table has medians (3)")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    ways = [name for name, way in WAYS.items() if way.here]
    found: dict[str, list[Speed]] = defaultdict(list)
    with servers() as shared:
        for _ in range(options.rounds):
            for name in ways:  # A B A B
                found[name].append(_round(name, options.jobs, shared))
    speeds = [_middle(found[name]) for name in ways]
    if options.json:
        print(json.dumps([asdict(one) for one in speeds], indent=2))
    else:
        print(table(speeds))
    return 0 if reached(speeds) else 1


def table(speeds: Sequence[Speed]) -> str:
    """As Markdown."""
    lines = ["| way | jobs a round | jobs/s | CPU ms/job | Redis CPU ms/job |", "|---|---:|---:|---:|---:|"]
    lines += [
        f"| {one.way} | {one.jobs} | {one.jobs_per_second:,.0f} | {one.cpu_ms:.3f} | {one.redis_ms:.3f} |"
        for one in speeds
    ]
    return "\n".join(lines)


def reached(speeds: Sequence[Speed]) -> bool:
    """Whether Envoi enqueues as fast in bulk, and as cheaply one by one, as it is to."""
    by_way = {one.way: one for one in speeds}
    bulk, single = by_way["envoi send_many"], by_way["envoi send"]
    return bulk.jobs_per_second >= _BULK_GOAL and single.cpu_ms <= _SEND_GOAL


def _round(name: str, most: int, shared: Servers) -> Speed:
    """One way once, after a batch that does not count."""
    way = WAYS[name]
    jobs = max(1, int(most * way.part))
    shared.empty_redis()
    with shared.cores.for_workers(), way.opened(shared) as enqueue:
        enqueue(plan(WARMUP_PEOPLE, BATCH, BATCH, PAGES))
        messages = plan(PEOPLE, jobs, -(-jobs // _BURST), PAGES)
        before = cpu_seconds([shared.redis.pid])
        spent = enqueue(messages)
        redis_seconds = cpu_seconds([shared.redis.pid]) - before
    print(f"{name}: {jobs} in {spent.seconds:.2f} s", file=sys.stderr, flush=True)
    return Speed(name, jobs, jobs / spent.seconds, spent.cpu_seconds / jobs * 1000, redis_seconds / jobs * 1000)


def _middle(rounds: Sequence[Speed]) -> Speed:
    return Speed(
        rounds[0].way,
        rounds[0].jobs,
        median(one.jobs_per_second for one in rounds),
        median(one.cpu_ms for one in rounds),
        median(one.redis_ms for one in rounds),
    )


if __name__ == "__main__":
    sys.exit(main())
