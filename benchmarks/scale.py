"""``python -m benchmarks.scale``: what a second worker process brings where neither stub nor processor is short.

Each call takes 0.1 s and each worker has few conversations in flight, so that what limits it is how many calls it makes
at once, as it is for workers on machines of their own. The CPU of each part shows that none of them is the limit.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Sequence
from functools import partial

from benchmarks.figures import PARTS, Figures, figures
from benchmarks.peers.envoi import EnvoiWorker
from benchmarks.run import Measurement, Work, run
from benchmarks.servers import servers

_GOAL = 1.8  # times the jobs a second with two workers


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure one worker and more, in turn.

    Returns:
        Exit status: 1 if two workers do less than 1.8 times what one does, or anything went wrong with a message.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2], help="worker processes (1 2)")
    parser.add_argument("--concurrency", type=int, default=32, help="conversations in flight in each (32)")
    parser.add_argument("--latency", type=float, default=0.1, help="seconds of a call (0.1)")
    parser.add_argument("--jobs", type=int, default=1000, help="jobs for each worker process (1000)")
    parser.add_argument("--rounds", type=int, default=3, help="the table has medians (3)")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    rounds: dict[int, list[Measurement]] = defaultdict(list)
    with servers() as shared:
        for _ in range(options.rounds):
            for workers in options.workers:  # A B A B
                jobs = options.jobs * workers
                work = Work(jobs, jobs // 5, 8, jobs // 4, options.latency, 60.0, tls=False)
                make = partial(EnvoiWorker, workers=workers, concurrency=options.concurrency)
                rounds[workers].append(run(make, work, shared))
                print(f"{workers} workers: {rounds[workers][-1].seconds:.1f} s", file=sys.stderr, flush=True)
    found = {workers: figures(each) for workers, each in rounds.items()}
    loads = {workers: load(each) for workers, each in rounds.items()}
    if options.json:
        print(json.dumps([{"workers": n, "load": loads[n], **found[n].as_json()} for n in found], indent=2))
    else:
        print(table(found, loads))
    return 0 if grows(found) and not any(one.faults.any() or one.missing for one in found.values()) else 1


def load(rounds: Sequence[Measurement]) -> dict[str, float]:
    """The share of a core that each part took, in the round where it took most; all workers together."""
    return {part: max(one.cpu[part] / one.seconds for one in rounds) for part in PARTS}


def grows(found: dict[int, Figures]) -> bool:
    """Whether two workers do as many times what one does as they are to; True if that was not measured."""
    one, two = found.get(1), found.get(2)
    return one is None or two is None or two.jobs_per_second >= _GOAL * one.jobs_per_second


def table(found: dict[int, Figures], loads: dict[int, dict[str, float]]) -> str:
    """As Markdown."""
    least = min(found)
    lines = [
        f"| workers | jobs/s | times {least} | {' | '.join(f'{part}, cores' for part in PARTS)} |",
        "|---:|---:|---:|" + "---:|" * len(PARTS),
    ]
    lines += [
        f"| {workers} | {one.jobs_per_second:.0f} | {one.jobs_per_second / found[least].jobs_per_second:.2f} |"
        f" {' | '.join(f'{loads[workers][part]:.2f}' for part in PARTS)} |"
        for workers, one in found.items()
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
