"""``python -m benchmarks``: the same work through Envoi and through what people would use instead, in one table."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict

from benchmarks.figures import Figures, figures
from benchmarks.known import OURS, PEERS, peers_here
from benchmarks.ledger import StubRefusedError
from benchmarks.machine import facts
from benchmarks.run import Measurement, StuckError, Work, run
from benchmarks.servers import Servers, servers
from benchmarks.table import ratios, table
from benchmarks.worker_share import ShareRefusedError
from demo.child import ChildFailed

_WARMUP = 4  # the part of a round's jobs that goes before it
_BUSY = 0.5  # load average above which the figures are not worth much


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print its table.

    Returns:
        Exit status: 0 if every run was completed and Envoi made no fault; 1 if not; 130 after Ctrl-C.

    Raises:
        ChildFailed: Redis or PostgreSQL did not start or stop.
        ShareRefusedError: workers were to get a part of their core, and the kernel does not give it.
    """
    options = _options(arguments)
    if absent := [name for name in PEERS if name not in peers_here()]:
        _say(f"Not measured: {', '.join(absent)}. `make bench` fetches what they need.")
    load = os.getloadavg()[0]
    if load > _BUSY:
        _say(f"This machine is not quiet (load {load:.1f}): take the figures with a grain of salt.")
    measured: dict[tuple[float, str], list[Measurement]] = defaultdict(list)
    broken = False
    with servers(options.worker_share) as shared:
        machine = facts(shared)
        try:
            for latency in options.latency:
                for number in range(options.rounds):
                    for name in options.peers:  # A B A B: what slows the machine for a while slows all of them
                        measured[latency, name].append(_one(name, latency, number, options, shared))
        except (ChildFailed, StuckError, StubRefusedError) as error:
            broken = True  # what was measured until then is told all the same
            _say(
                "\n".join(
                    [f"The benchmark broke off: {type(error).__name__}: {error}", *getattr(error, "__notes__", [])]
                )
            )
        except KeyboardInterrupt:
            return 130
    results = {key: figures(rounds) for key, rounds in measured.items() if rounds}
    if options.json:
        print(json.dumps(_document(options, machine, measured, results), indent=2))
    else:
        print(table(results))
        print("\n".join(["", *ratios(results, OURS), *(f"{name}: {value}" for name, value in machine.items())]))
    return 0 if _good(results) and not broken else 1


def _one(name: str, latency: float, number: int, options: argparse.Namespace, shared: Servers) -> Measurement:
    """One round of one peer, with a line on how it went."""
    jobs = dict(options.jobs_of).get(name, options.jobs or PEERS[name].jobs)
    work = Work(
        jobs=jobs,
        people=-(-jobs // options.burst),
        pages=options.pages,
        warmup=options.warmup or -(-jobs // _WARMUP),
        latency=latency,
        patience=options.patience,
        tls=options.tls,
    )
    one = run(PEERS[name].make, work, shared)
    _say(
        f"{latency * 1000:g} ms, round {number + 1}, {name}: {jobs} jobs in {one.seconds:.1f} s,"
        f" worker {one.cpu['worker'] / jobs * 1000:.2f} ms/job"
    )
    return one


def _good(results: dict[tuple[float, str], Figures]) -> bool:
    """Whether all work was done, and ours without a fault."""
    return not any(
        found.missing or (peer == OURS and any(asdict(found.faults).values())) for (_, peer), found in results.items()
    )


def _document(
    options: argparse.Namespace,
    machine: dict[str, str],
    measured: dict[tuple[float, str], list[Measurement]],
    results: dict[tuple[float, str], Figures],
) -> dict[str, object]:
    """Everything, for programs: the figures, and each round's own."""
    return {
        "options": {name: value for name, value in vars(options).items() if name != "json"},
        "machine": machine,
        "results": [
            {
                "latency_seconds": latency,
                "peer": peer,
                **found.as_json(),
                "each_round": [figures([one]).as_json() for one in measured[latency, peer]],
            }
            for (latency, peer), found in results.items()
        ],
    }


def _say(text: str) -> None:
    """Progress goes to standard error: standard output holds the result alone."""
    print(text, file=sys.stderr, flush=True)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=peers_here(), help="these only, in this order")
    parser.add_argument("--tls", action="store_true", help="calls are made with TLS")
    parser.add_argument("--latency", type=float, nargs="+", default=[0.0, 0.1], help="seconds of a call (0 0.1)")
    parser.add_argument("--rounds", type=_positive, default=3, help="rounds of each peer; the table has medians (3)")
    parser.add_argument("--jobs", type=_positive, help="messages measured in a round (300 to 5000, by peer)")
    parser.add_argument(
        "--jobs-of", type=_jobs_of, action="append", default=[], metavar="PEER=N", help="another number for one peer"
    )
    parser.add_argument("--burst", type=_positive, default=5, help="messages to one person, in a row (5)")
    parser.add_argument("--pages", type=_positive, default=8, help="how many pages send them (8)")
    parser.add_argument("--warmup", type=_positive, help="messages before each measured run (a fourth of a round's)")
    parser.add_argument("--patience", type=float, default=60.0, help="seconds without progress that end a run (60)")
    parser.add_argument(
        "--worker-share", type=_part, help="the part of their core that workers get, as root: 0.4 (all of it)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, each round's figures included")
    return parser.parse_args(arguments)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _part(text: str) -> float:
    part = float(text)
    if not 0 < part <= 1:
        raise argparse.ArgumentTypeError("must be above 0, and at most 1")
    return part


def _jobs_of(text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    if name not in PEERS:
        raise argparse.ArgumentTypeError(f"no such peer: {name}")
    return name, _positive(number)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ShareRefusedError as refused:
        sys.exit(f"--worker-share: {refused}")
