"""``python -m benchmarks.fairness``: do pages share the pool by need, and does none of them hold up another?

* ``even``: all pages have more waiting than the pool can send. How evenly are they served? (Jain's index over any 10 s)
* ``slow``: one page's calls take 30 s. What is left of the others' messages a second?
* ``broadcast``: one page has 100,000 messages waiting. How much longer do replies of others take, and its own?
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.figures import percentile
from benchmarks.sliding import most_in_a_second
from benchmarks.town import Arrival, Town, town

_SPAN = 10.0  # seconds over which pages are compared


def jain(shares: Sequence[float]) -> float:
    """Jain's index of fairness: 1 where all have the same, 1/n where one has all."""
    squares = sum(share * share for share in shares)
    return sum(shares) ** 2 / (len(shares) * squares) if squares else 1.0


def even(options: argparse.Namespace) -> dict[str, Any]:
    """All pages are backlogged; the pool is what is short, or with ``--pace`` each page's own pace."""
    settings = {} if options.pace is None else {"ENVOI_PAGE_PACE": str(options.pace)}
    with town(options.pages, 0, options.concurrency, settings=settings) as here:
        for page in here.pages:
            here.send(page, range(options.people))
        for _ in range(options.workers):
            here.stack.start_worker("--concurrency", str(options.concurrency))
        served: set[str] = set()
        while len(served) < len(here.pages):  # every page's token has been read once
            served |= {one.page for one in here.watch(1.0)}
        came = here.watch(options.seconds)
        left = here.waiting()
    starts = [came[0].at + step for step in range(max(1, int(came[-1].at - came[0].at - _SPAN) + 1))]
    indexes = [jain(_served(came, here.pages, start)) for start in starts]
    first = _served(came, here.pages, starts[0])
    return {
        "pages": options.pages,
        "pace": options.pace,
        "messages_per_second": _rate(came),
        "jain_worst": min(indexes),
        "jain_mean": sum(indexes) / len(indexes),
        "served_least": min(first),
        "served_most": max(first),
        "pages_without_backlog": sum(waiting == 0 for waiting in left),
        "pages_over_their_pace": None if options.pace is None else over_pace(came, options.pace),
    }


def over_pace(came: Sequence[Arrival], pace: float) -> int:
    """How many pages sent more than their pace in any sliding second; below 1/s, than one in ``1/pace`` seconds."""
    times: dict[str, list[float]] = {}
    for one in came:
        times.setdefault(one.page, []).append(one.at)
    span = max(1.0, 1 / pace)
    return sum(most_in_a_second(each, span) > max(1.0, pace) for each in times.values())


def slow(options: argparse.Namespace) -> dict[str, Any]:
    """One page beside the others takes 30 s a call."""
    with town(options.pages + 1, options.workers, options.concurrency) as here:
        ill, *healthy = here.pages
        for page in healthy:
            here.send(page, range(options.people))
        here.watch(3.0)
        before = here.watch(options.seconds)
        rule = {"match": {"step": "message", "page": ill}, "fault": {"kind": "slow", "seconds": 30.0}}
        here.control("POST", "rules", rule)
        here.send(ill, range(1000))
        here.watch(3.0)
        beside = [one for one in here.watch(options.seconds) if one.page != ill]
        waiting = {one.page for one in here.watch(3.0)}
    return {
        "pages_that_ran_dry": len(healthy) - len(waiting - {ill}),  # if any: the figures say nothing
        "alone_per_second": _rate(before),
        "beside_per_second": _rate(beside),
        "kept": _rate(beside) / _rate(before),
    }


def broadcast(options: argparse.Namespace) -> dict[str, Any]:
    """Replies of all pages, without and with a broadcast of one of them."""
    with town(options.pages, options.workers, options.concurrency) as here:
        casting, *others = here.pages
        _replies(here, here.pages, 5.0)
        alone = _waits(*_replies(here, others, options.seconds))
        here.send(casting, range(100_000), text="broadcast")
        both, sent = _replies(here, here.pages, options.seconds)
        beside = _waits([one for one in both if one.page != casting], sent)
        own = _waits([one for one in both if one.page == casting], sent)
    return {
        "alone_p99_ms": 1000 * percentile(alone, 0.99),
        "beside_p99_ms": 1000 * percentile(beside, 0.99),
        "times": percentile(beside, 0.99) / percentile(alone, 0.99),
        "own_p99_ms": 1000 * percentile(own, 0.99),
        "broadcast_per_second": _rate([one for one in both if one.text == "broadcast"]),
    }


def _replies(here: Town, pages: Sequence[str], seconds: float) -> tuple[list[Arrival], dict[str, float]]:
    """A reply of each page in turn, 40 a second. Answers what came in, and when each text was sent."""
    sent: dict[str, float] = {}
    here.arrivals()
    began = time.monotonic()
    while (number := len(sent)) < 40 * seconds:
        time.sleep(max(0.0, began + number / 40 - time.monotonic()))
        text = f"reply {time.time():.6f}"
        sent[text] = time.time()
        here.send(pages[number % len(pages)], [1_000_000 + number], lane="replies", text=text)
    time.sleep(3.0)
    return here.arrivals(), sent


def _waits(came: Sequence[Arrival], sent: dict[str, float]) -> list[float]:
    return sorted(one.at - sent[one.text] for one in came if one.text in sent)


def _served(came: Sequence[Arrival], pages: Sequence[str], start: float) -> list[int]:
    counts = Counter(one.page for one in came if start <= one.at < start + _SPAN)
    return [counts[page] for page in pages]


def _rate(came: Sequence[Arrival]) -> float:
    return (len(came) - 1) / (came[-1].at - came[0].at) if len(came) > 1 else 0.0


SCENES: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {"even": even, "slow": slow, "broadcast": broadcast}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the scenes and print what they showed, as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fairness", description=__doc__)
    parser.add_argument("scene", nargs="*", choices=[*SCENES, []], help="which of them (all)")
    parser.add_argument("--pages", type=int, default=50, help="how many pages (50)")
    parser.add_argument("--pace", type=float, help="even: messages/s of each page, if not the default (30)")
    parser.add_argument("--people", type=int, default=300, help="whom each page has messages for (300)")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each measurement (20)")
    parser.add_argument("--workers", type=int, default=2, help="worker processes (2)")
    parser.add_argument("--concurrency", type=int, default=128, help="conversations in flight in each (128)")
    options = parser.parse_args(arguments)
    for name in options.scene or SCENES:
        print(json.dumps({"scene": name, **SCENES[name](options)}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
