"""``python -m benchmarks --peers envoi --json | python -m benchmarks.estimate``: what 10,000 jobs a second need.

From the CPU that a job took in each part. A Redis runs its scripts on one core, and a log writer is one thread: these
two bound a cell. Workers and PostgreSQL take as many cores as there is work.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.known import OURS

_BUSY = 0.7  # of a core that a part is to take at most: the rest is for what comes in a burst


@dataclass(frozen=True, slots=True)
class Estimate:
    """What it takes.

    Attributes:
        jobs_of_a_cell: jobs a second that one cell does.
        bound: the part that bounds a cell, ``redis`` or ``scheduler``.
        cells: how many.
        worker_cores: of all cells together, and so are those below.
        sql_cores: of PostgreSQL.
        in_flight: conversations that workers have in hand.
    """

    jobs_of_a_cell: float
    bound: str
    cells: int
    worker_cores: float
    sql_cores: float
    in_flight: int


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the benchmark's figures from standard input and print an estimate for each latency."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.estimate", description=__doc__)
    parser.add_argument("--rate", type=float, default=10_000.0, help="jobs a second (10000)")
    options = parser.parse_args(arguments)
    results = [one for one in json.load(sys.stdin)["results"] if one["peer"] == OURS]
    print("\n".join(told(one["latency_seconds"], one["cpu_ms_per_job"], options.rate) for one in results))
    return 0


def told(latency: float, cpu_ms: Mapping[str, float], rate: float) -> str:
    """An estimate in words."""
    found = estimate(latency, cpu_ms, rate)
    return (
        f"{rate:,.0f} jobs/s, calls of {latency * 1000:g} ms: {found.cells} cells of {found.jobs_of_a_cell:,.0f} jobs/s"
        f" (their {found.bound} is the bound), {found.worker_cores:.1f} cores of workers with {found.in_flight:,}"
        f" conversations in flight, {found.sql_cores:.1f} cores of PostgreSQL"
    )


def estimate(latency: float, cpu_ms: Mapping[str, Any], rate: float) -> Estimate:
    """What so many jobs a second need.

    Args:
        latency: seconds of a call; a job makes three, one after the other.
        cpu_ms: milliseconds of CPU a job of ``worker``, ``scheduler``, ``redis`` and ``sql``.
        rate: jobs a second.
    """
    bound = max(("redis", "scheduler"), key=lambda part: float(cpu_ms[part]))
    of_a_cell = _BUSY * 1000 / cpu_ms[bound]
    return Estimate(
        jobs_of_a_cell=of_a_cell,
        bound=bound,
        cells=math.ceil(rate / of_a_cell),
        worker_cores=rate * cpu_ms["worker"] / 1000 / _BUSY,
        sql_cores=rate * cpu_ms["sql"] / 1000 / _BUSY,
        in_flight=math.ceil(rate * 3 * latency),
    )


if __name__ == "__main__":
    sys.exit(main())
