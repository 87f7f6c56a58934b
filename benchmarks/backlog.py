"""``python -m benchmarks.backlog``: what does a job cost while 1,000, 100,000 or 1,000,000 others wait?

For each number waiting there is a Redis of its own; all are filled, and then measured in turn, round after round. A job
is claimed, begun, answered and settled in trips that eight share, as a worker does; no call is made.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from statistics import median

from benchmarks.backlog_queue import TRIP, Backlog, Kind, backlog
from benchmarks.flat import is_flat, times_the_first
from benchmarks.meter import Cost

_KINDS = {
    "one-page": Kind(),
    "pages": Kind(pages=1000),
    "bursts": Kind(pages=1000, jobs_each=5),
    "scheduled": Kind(pages=1000, scheduled=True),
}
_TOLERANCE = 0.1
_JOB_BYTES = 1500
_TICKS = 50
_HEADINGS = (
    "what waits",
    "jobs",
    "bytes a job",
    "its event",
    "Redis CPU us/job",
    "worker us/job",
    "commands/job",
    "times the first",
    "a tick, us",
    "a job coming due, us",
)


@dataclass(frozen=True, slots=True)
class Level:
    """Medians of the rounds at one number of waiting jobs.

    Attributes:
        job_bytes, event_bytes: memory of Redis for a waiting job, and for its event until that is in SQL.
        redis_us, worker_us: microseconds of CPU a job.
        commands: that Redis runs for a job, those of scripts included.
        times: Redis's and the worker's CPU together, in times of that at the first level, in the same rounds.
        tick_us: of Redis's CPU, for a tick with nothing due.
        due_us: of Redis's CPU, for a scheduled job to enter its line.
    """

    kind: str
    jobs: int
    job_bytes: float
    event_bytes: float
    redis_us: float
    worker_us: float
    commands: float
    times: float
    tick_us: float
    due_us: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure each kind of backlog and print a table.

    Returns:
        Exit status: 1 if a job costs more by over a tenth than at the first level, or takes more than 1,500 bytes
        where most wait.
    """
    options = _options(arguments)
    gc.disable()  # looking through all that is waiting to be sent would be counted as a cost of the trips
    found, flat = [], True
    for name in options.kind:
        levels, is_level = measure(name, options.jobs, options.rounds, options.work)
        found += levels
        flat = flat and is_level
    if options.json:
        print(json.dumps([asdict(one) for one in found], indent=2))
    else:
        print(_table(found))
    # Where few wait, what a page takes and what Redis keeps in reserve are divided by too few.
    fits = all(one.job_bytes <= _JOB_BYTES for one in found if one.jobs == max(options.jobs))
    return 0 if flat and fits else 1


def measure(name: str, jobs: Sequence[int], rounds: int, work: int) -> tuple[list[Level], bool]:
    """Fill a queue for each number of jobs, then measure them in turn. Answers that, and whether it is flat."""
    with ExitStack() as stack:
        queues: dict[int, Backlog] = {}
        for number in jobs:
            queues[number] = stack.enter_context(backlog(_KINDS[name]))
            queues[number].fill(number)
            _say(f"{name}: {number} jobs wait, {queues[number].job_bytes:.0f} bytes each")
        seen: dict[str, dict[int, list[Cost]]] = {what: {n: [] for n in jobs} for what in ("work", "tick", "due")}
        for number in range(-1, rounds):  # the first round is not counted
            for size in _turned(jobs, number):
                for what, cost in _round(queues[size], work).items():
                    if number >= 0:
                        seen[what][size].append(cost)
            _say(f"{name}: round {number + 1} of {rounds}")
        memory = {size: (queue.job_bytes, queue.event_bytes) for size, queue in queues.items()}
    both = {size: [one.redis + one.worker for one in costs] for size, costs in seen["work"].items()}
    times = times_the_first(both)
    levels = [
        Level(
            name,
            size,
            *memory[size],
            _us(seen["work"][size], lambda one: one.redis),
            _us(seen["work"][size], lambda one: one.worker),
            median(one.commands for one in seen["work"][size]),
            times[size],
            _us(seen["tick"][size], lambda one: one.redis),
            _us(seen["due"][size], lambda one: one.redis),
        )
        for size in jobs
    ]
    return levels, is_flat(both, _TOLERANCE)


def _round(queue: Backlog, work: int) -> dict[str, Cost]:
    return {"work": queue.work(work), "tick": queue.tick(_TICKS), "due": queue.bring_due()}


def _turned(jobs: Sequence[int], number: int) -> list[int]:
    """Each round begins with another size: what the one before leaves in the caches hits each in turn."""
    first = number % len(jobs)
    return [*jobs[first:], *jobs[:first]]


def _us(costs: Sequence[Cost], part: Callable[[Cost], float]) -> float:
    return 1e6 * median(part(one) for one in costs)


def _table(found: Sequence[Level]) -> str:
    rows = [
        [
            one.kind,
            f"{one.jobs:,}",
            f"{one.job_bytes:.0f}",
            f"{one.event_bytes:.0f}",
            f"{one.redis_us:.0f}",
            f"{one.worker_us:.0f}",
            f"{one.commands:.1f}",
            f"{one.times:.2f}",
            f"{one.tick_us:.0f}",
            f"{one.due_us:.0f}",
        ]
        for one in found
    ]
    lines = [" | ".join(row) for row in [list(_HEADINGS), ["---", *["---:"] * (len(_HEADINGS) - 1)], *rows]]
    return "\n".join(f"| {line} |" for line in lines)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.backlog", description=__doc__)
    parser.add_argument("kind", nargs="*", choices=[*_KINDS, []], help="what waits (all)")
    sizes = [1000, 100_000, 1_000_000]
    parser.add_argument("--jobs", type=int, nargs="+", default=sizes, help="how many wait (1000 100000 1000000)")
    parser.add_argument("--rounds", type=int, default=40, help="rounds that count (40)")
    parser.add_argument("--work", type=int, default=200, help=f"jobs of a round, a multiple of {TRIP} (200)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    options.kind = options.kind or list(_KINDS)
    if options.work < TRIP or options.work % TRIP:
        parser.error(f"--work: must be a multiple of {TRIP}")
    return options


if __name__ == "__main__":
    sys.exit(main())
