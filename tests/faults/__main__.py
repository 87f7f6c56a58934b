"""The long form: every fault alone, then all mixed, and the table for docs/guarantees.md."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from tests.faults.faults import BY_NAME, FAULTS
from tests.faults.run import ROUND, Figures, run_alone, run_mixed
from tests.faults.scene import Scene, new_seed
from tests.faults.table import head, row, verdict
from tests.waiting import Stuck


def main(argv: list[str]) -> int:
    """Run it; the exit status is 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--jobs", type=int, default=100_000, help="of each fault (100,000)")
    parser.add_argument("--seed", type=int, default=new_seed(), help="repeats a run's chances (ENVOI_TEST_SEED)")
    parser.add_argument("--evidence", choices=["none", "looks"], default="looks", help="what unknowns are settled by")
    parser.add_argument("--fault", action="append", choices=[*BY_NAME, "mixed"], help="only this one; may be repeated")
    options = parser.parse_args(argv)
    for name in [name for name in os.environ if name.startswith("ENVOI_")]:
        del os.environ[name]  # no setting of this shell reaches the run
    wanted = options.fault or [*(f.name for f in FAULTS if f.needs in ("none", options.evidence)), "mixed"]
    print(f"seed {options.seed}, evidence: {options.evidence}", head(), sep="\n", flush=True)
    troubles: list[str] = []
    while wanted:
        with tempfile.TemporaryDirectory(prefix="envoi-faults-") as folder:
            troubles += _runs(Path(folder), wanted, options)
    print(*troubles, sep="\n")
    return 1 if troubles else 0


def _runs(folder: Path, wanted: list[str], options: argparse.Namespace) -> list[str]:
    """Run what is wanted in one scene, up to the first that does not come to its end; of long ones, one.

    Returns the troubles.
    """
    troubles: list[str] = []
    with Scene(folder, evidence=options.evidence) as scene:
        while wanted:
            name = wanted.pop(0)
            try:
                figures = _run(scene, name, options.jobs, options.seed)
            except Stuck as trouble:
                print(f"| {name} | did not come to its end |", flush=True)
                return [*troubles, f"{name}: {trouble}"]
            print(row(figures), flush=True)
            troubles += verdict(figures)
            if options.jobs > ROUND:  # what was settled stays in Redis for a day: a restart would take ever longer
                break
    return troubles


def _run(scene: Scene, name: str, jobs: int, seed: int) -> Figures:
    if name == "mixed":
        return run_mixed(scene, jobs, seed, turns=12)
    return run_alone(scene, BY_NAME[name], jobs, seed, long=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
