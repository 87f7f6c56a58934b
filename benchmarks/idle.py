"""``python -m benchmarks.idle``: how soon a message is under way when nothing else is, and how fast a burst goes.

* ``idle``: one message at a time, sent after a moment in which nothing waits: from ``send`` returning to the stub's
  taking ``typing_on``.
* ``burst``: five messages to one person at once, calls of 0.1 s: from ``send_many`` returning to the last one's
  being accepted, by the sum of the calls until then.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median

from benchmarks.figures import percentile
from benchmarks.ledger import Entry, count_messages, read_ledger
from benchmarks.peers.envoi import EnvoiWorker
from benchmarks.run import Work, running_peer
from benchmarks.servers import RunningStub, Servers, servers
from benchmarks.work import PEOPLE, Message, page_ids
from demo.child import ChildFailed
from envoi import Envoi

_PAGES = 8
_P50, _P99 = 0.020, 0.100  # seconds, the goals
_BURST = 5
_LATENCY = 0.1  # seconds of a call in a burst
_SHARE = 1.1  # of the sum of its calls, the goal for a burst
_QUIET = (0.05, 0.25)  # seconds between the end of a message and the next send
_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Idle:
    """Seconds from ``send`` returning to the first call."""

    sends: int
    p50: float
    p99: float
    worst: float


@dataclass(frozen=True, slots=True)
class Bursts:
    """Time until the last message of a burst was accepted, as a share of the sum of the calls until then."""

    bursts: int
    median: float
    worst: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure both.

    Returns:
        Exit status: 1 if a goal was missed.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.idle", description=__doc__)
    parser.add_argument("--sends", type=int, default=300, help="messages, one at a time (300)")
    parser.add_argument("--bursts", type=int, default=20, help="bursts of five (20)")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    with servers() as shared:
        idle = _idle(options.sends, shared)
        bursts = _bursts(options.bursts, shared)
    if options.json:
        print(json.dumps({"idle": asdict(idle), "bursts": asdict(bursts)}, indent=2))
    else:
        print(
            f"idle: {idle.sends} sends, first call after p50 {idle.p50 * 1000:.1f} ms, p99 {idle.p99 * 1000:.1f} ms,"
            f" at most {idle.worst * 1000:.1f} ms\n"
            f"burst: {bursts.bursts} bursts of {_BURST}, last accepted within {bursts.median:.3f} times its calls"
            f" (median), {bursts.worst:.3f} times (worst)"
        )
    return 0 if idle.p50 <= _P50 and idle.p99 <= _P99 and bursts.median <= _SHARE else 1


def first_calls(ledger: Sequence[Entry]) -> dict[str, float]:
    """When each person's first call came in: Unix seconds."""
    found: dict[str, float] = {}
    for entry in ledger:
        found.setdefault(entry.recipient, entry.at)
    return found


def _idle(sends: int, shared: Servers) -> Idle:
    """Send one message after the other, each to a person of its own."""
    chance = random.Random(1)  # noqa: S311  # no secret
    with running_peer(EnvoiWorker, _work(0.0), shared) as (peer, stub):
        client = Envoi(shared.redis.url)
        returned: dict[str, float] = {}
        done = count_messages(stub.url)
        for number in range(sends):
            time.sleep(chance.uniform(*_QUIET))
            person = str(PEOPLE + number)
            client.send(page_ids(_PAGES)[number % _PAGES], person, "hello")
            returned[person] = time.time()
            done += 1
            _await_messages(stub, done)
        peer.check()
        calls = first_calls(read_ledger(stub.url))
    waits = sorted(max(0.0, calls[person] - at) for person, at in returned.items())
    return Idle(sends, percentile(waits, 0.50), percentile(waits, 0.99), waits[-1])


def _bursts(bursts: int, shared: Servers) -> Bursts:
    """Send one burst after the other, each to a person of its own."""
    with running_peer(EnvoiWorker, _work(_LATENCY), shared) as (peer, stub):
        shares = []
        done = count_messages(stub.url)
        for number in range(bursts):
            time.sleep(_QUIET[1])
            person = str(PEOPLE + number)
            peer.enqueue([Message(page_ids(_PAGES)[0], person, f"{number}/{place}") for place in range(_BURST)])
            at = time.time()
            done += _BURST
            _await_messages(stub, done)
            last = max(entry.at for entry in read_ledger(stub.url) if entry.recipient == person and entry.text)
            # Each takes three calls; the last typing_off comes after the last message.
            shares.append((last - at) / (_LATENCY * (3 * _BURST - 1)))
    return Bursts(bursts, median(shares), max(shares))


def _await_messages(stub: RunningStub, count: int) -> None:
    """Wait until the stub has accepted so many.

    Raises:
        ChildFailed: it has not within a minute.
    """
    ends = time.monotonic() + _PATIENCE
    while count_messages(stub.url) < count:
        if time.monotonic() > ends:
            raise ChildFailed(f"{count_messages(stub.url)} of {count} messages were accepted within {_PATIENCE:g} s")
        time.sleep(0.005)


def _work(latency: float) -> Work:
    """Only its warm-up is done by the harness."""
    return Work(jobs=0, people=0, pages=_PAGES, warmup=200, latency=latency, patience=_PATIENCE, tls=False)


if __name__ == "__main__":
    sys.exit(main())
