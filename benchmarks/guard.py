"""``python -m benchmarks.guard``: has a job become dearer? Worker CPU a job by the usual task's, in the same run.

The machine drops out of the ratio, so it holds on any; guard.json beside this file says how much it may be.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from benchmarks.known import OURS, PEERS
from benchmarks.run import Work, run
from benchmarks.servers import servers

_LIMIT = Path(__file__).with_name("guard.json")
_USUAL = "usual"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure both in turn and compare.

    Returns:
        Exit status: 1 if a job takes more than it may.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.guard", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="of each, in turn; the middle one counts (3)")
    options = parser.parse_args(arguments)
    found: dict[str, list[float]] = {_USUAL: [], OURS: []}
    with servers() as shared:
        for _ in range(options.rounds):
            for name, rounds in found.items():
                jobs = PEERS[name].jobs
                work = Work(jobs, -(-jobs // 5), 8, -(-jobs // 4), 0.0, 60.0, tls=False)
                rounds.append(run(PEERS[name].make, work, shared).cpu["worker"] / jobs * 1000)
                print(f"{name}: {rounds[-1]:.2f} ms of worker CPU a job", file=sys.stderr, flush=True)
    told, good = verdict({name: median(rounds) for name, rounds in found.items()}, limit())
    print(told)
    return 0 if good else 1


def limit() -> float:
    """How much of the usual task's CPU a job may take."""
    return float(json.loads(_LIMIT.read_text())["most_of_usual"])


def verdict(cpu_ms: Mapping[str, float], most: float) -> tuple[str, bool]:
    """What is found, in a sentence, and whether it is good.

    Args:
        cpu_ms: milliseconds of worker CPU a job, of ``usual`` and of ``envoi``.
        most: how much the second may be of the first.
    """
    ratio = cpu_ms[OURS] / cpu_ms[_USUAL]
    good = ratio <= most
    return (
        f"{OURS} takes {cpu_ms[OURS]:.2f} ms of worker CPU a job, {_USUAL} {cpu_ms[_USUAL]:.2f}: {ratio:.3f} of it,"
        f" {'within' if good else 'over'} the {most:g} of {_LIMIT.name}"
    ), good


if __name__ == "__main__":
    sys.exit(main())
