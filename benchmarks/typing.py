"""``python -m benchmarks.typing``: how many people can one worker be typing to at once?

Everybody gets one message with seconds of typing before it. First come the same messages without a pause, by the same
worker: what takes longer then is the pause's. If a pause held a slot, it would take people * pause / slots.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import redis

from benchmarks.figures import percentile
from benchmarks.processes import cpu_seconds, memory_bytes
from benchmarks.sliding import most_at_once
from benchmarks.town import Town, town
from envoi.queue.keys import Keys

_POLL = 0.05  # seconds
# Neither the pace of a page nor its budget of calls is what is measured.
_SETTINGS = {"ENVOI_PAGE_PACE": "1000", "ENVOI_PAGE_CALLS": "10000", "ENVOI_PAGE_CAP": "1000"}


@dataclass(frozen=True, slots=True)
class Typed:
    """What one pass showed.

    Attributes:
        pause: seconds of typing asked for; 0: as long as the calls take.
        people: how many got their message, each one message.
        seconds: from the first call's coming in to the last message's.
        typed_to: the most people at once between their typing_on and their message, by the sandbox's ledger.
        shown_least, shown_p50, shown_p99: seconds from a person's first typing_on to the message.
        typing_ons: calls of typing_on a person; more than 1: it had to be repeated.
        held: the most conversations at once that the worker held.
        paused: the most at once that the queue kept until their typing was over.
        worker_cpu_ms: CPU of the worker a message.
        worker_mb: its memory at the end, 10^6 bytes.
    """

    pause: float
    people: int
    seconds: float
    typed_to: int
    shown_least: float
    shown_p50: float
    shown_p99: float
    typing_ons: float
    held: int
    paused: int
    worker_cpu_ms: float
    worker_mb: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Run both passes and print what they showed, as JSON.

    Returns:
        Exit status: 1 if a message was lost or doubled, or came before its typing was over.
    """
    options = _options(arguments)
    with town(options.pages, 1, options.concurrency, latency=options.latency, settings=_SETTINGS) as here:
        here.send(here.pages[0], [10_000_000], typing=True)
        _until_done(here)
        found = [_pass(here, number, pause, options.people) for number, pause in enumerate([0.0, *options.typing])]
    print(json.dumps({"slots": options.concurrency, "passes": [asdict(one) for one in found]}, indent=2))
    good = all(one.people == options.people and one.shown_least >= one.pause for one in found)
    return 0 if good else 1


def _pass(here: Town, number: int, pause: float, people: int) -> Typed:
    """Send one message to each of so many people, none of whom has had one before."""
    worker = [here.stack.child("worker").pid]
    here.entries()
    before = cpu_seconds(worker)
    each = people // len(here.pages)
    for place, page in enumerate(here.pages):
        first = number * people + place * each
        here.send(page, range(first, first + each), typing=pause or True)
    held, paused = _until_done(here)
    cpu = cpu_seconds(worker) - before
    return read(here.entries(), pause, (held, paused), 1000 * cpu / people, memory_bytes(worker) / 1e6)


def read(
    entries: Sequence[Mapping[str, Any]], pause: float, most: tuple[int, int], worker_cpu_ms: float, worker_mb: float
) -> Typed:
    """Read a pass from the ledger's entries; ``most`` is what was held, and paused, at once."""
    typed: dict[str, list[float]] = {}
    messages: dict[str, list[float]] = {}
    for one in entries:
        if one["step"] in {"typing_on", "message"} and one["delivered"]:
            kept = typed if one["step"] == "typing_on" else messages
            kept.setdefault(one["conversation"], []).append(one["committed_at"])
    spans = [(typed[who][0], came[0]) for who, came in messages.items() if who in typed]
    shown = sorted(last - first for first, last in spans)
    return Typed(
        pause=pause,
        people=sum(len(came) == 1 and who in typed for who, came in messages.items()),
        seconds=max(last for _, last in spans) - min(one["arrived_at"] for one in entries),
        typed_to=most_at_once(spans),
        shown_least=shown[0],
        shown_p50=percentile(shown, 0.5),
        shown_p99=percentile(shown, 0.99),
        typing_ons=sum(map(len, typed.values())) / len(typed),
        held=most[0],
        paused=most[1],
        worker_cpu_ms=worker_cpu_ms,
        worker_mb=worker_mb,
    )


def _until_done(here: Town) -> tuple[int, int]:
    """Wait until nothing is queued. Answers the most that was held, and that waited for the end of typing, at once."""
    base = Keys(here.stack.environment["ENVOI_REDIS_TAG"]).base
    held = paused = 0
    with redis.Redis.from_url(here.stack.redis_url) as client:
        while True:
            here.stack.check()
            with client.pipeline(transaction=True) as pipe:
                for name in ("lease", "due", "pages:r", "pages:b"):
                    pipe.zcard(base + name)
                now_held, now_paused, *waiting = pipe.execute()
            held, paused = max(held, now_held), max(paused, now_paused)
            if not now_held and not now_paused and not any(waiting):
                return held, paused
            time.sleep(_POLL)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.typing", description=__doc__)
    parser.add_argument("--people", type=int, default=10_000, help="who get a message each (10000)")
    parser.add_argument("--typing", type=float, nargs="+", default=[3.0], help="seconds of typing (3)")
    parser.add_argument("--pages", type=int, default=100, help="pages that they belong to (100)")
    parser.add_argument("--concurrency", type=int, default=128, help="slots of the worker (128)")
    parser.add_argument("--latency", type=float, default=0.1, help="seconds that each call takes (0.1)")
    options = parser.parse_args(arguments)
    if options.people % options.pages:
        parser.error("--people: must be a multiple of --pages")
    return options


if __name__ == "__main__":
    sys.exit(main())
