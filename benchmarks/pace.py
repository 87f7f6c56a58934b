"""``python -m benchmarks.pace``: does a page ever send more than its pace in one second, over several workers?

Everything runs as in production; the Graph API is the sandbox, and its ledger says when each message came in.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlencode

from sqlalchemy import select

from benchmarks.sliding import most_in_a_second
from benchmarks.work import PEOPLE
from demo.ledger import Sandbox
from demo.stack import Stack
from envoi import Envoi, Job
from envoi.log.database import open_log
from envoi.log.tables import calls

_BATCH = 100_000  # entries of the ledger read at once
_HEADINGS = ("pace", "messages", "a second", "most started in a second", "most come in in a second")


@dataclass(frozen=True, slots=True)
class Paced:
    """What the ledger says of one run.

    Attributes:
        pace: messages a second that the page was allowed.
        messages: how many came in.
        rate: how many a second, from the first to the last.
        started: the most in any sliding second by the workers' own record: when their calls started.
        most: the most in any sliding second by the ledger: when they came in.
    """

    pace: float
    messages: int
    rate: float
    started: int
    most: int


def main(arguments: Sequence[str] | None = None) -> int:
    """Run each pace in turn and print a table.

    Returns:
        Exit status: 1 if a second held more than the pace.
    """
    options = _options(arguments)
    found = [measure(pace, options.seconds, options.workers, options.margin) for pace in options.pace]
    if options.json:
        print(json.dumps([asdict(one) for one in found], indent=2))
    else:
        print(_table(found))
    return 1 if any(one.most > one.pace for one in found) else 0


def measure(pace: float, seconds: float, workers: int, margin: float | None = None) -> Paced:
    """Let a page that has more to send than it may send for so many seconds."""
    settings = {"ENVOI_PAGE_PACE": str(pace), "ENVOI_PAGE_CAP": "1000"}
    if margin is not None:
        settings["ENVOI_PACE_MARGIN"] = str(margin)
    with tempfile.TemporaryDirectory(prefix="envoi-pace-") as folder, Stack(Path(folder), settings=settings) as stack:
        stack.start(workers=workers)
        jobs = int(pace * seconds) + 1
        Envoi(stack.redis_url).send_many(
            Job(page=stack.page, recipient=str(PEOPLE + n), message="hello", lane="bulk") for n in range(jobs)
        )
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            stack.check()
            time.sleep(0.2)
        times, started = _arrivals(stack.sandbox_url), _starts(stack.database_url)
    span = max(times) - min(times) if len(times) > 1 else 0.0
    return Paced(
        pace, len(times), (len(times) - 1) / span if span else 0.0, most_in_a_second(started), most_in_a_second(times)
    )


def _arrivals(url: str) -> list[float]:
    """When each message came in, Unix seconds."""
    query = urlencode({"step": "message", "limit": _BATCH})
    return [entry["arrived_at"] for entry in Sandbox(url).ask("GET", f"/sandbox/ledger?{query}")["entries"]]


def _starts(url: str) -> list[float]:
    """When the calls started that are in the log by now, Unix seconds by the clock of the same machine."""
    engine = open_log(url)
    try:
        with engine.connect() as connection:
            rows = connection.execute(select(calls.c.started_at).where(calls.c.step == "message"))
            return [row.started_at.timestamp() for row in rows]
    finally:
        engine.dispose()


def _table(found: Sequence[Paced]) -> str:
    rows = [[f"{one.pace:g}/s", str(one.messages), f"{one.rate:.1f}", str(one.started), str(one.most)] for one in found]
    lines = [" | ".join(row) for row in [list(_HEADINGS), ["---:"] * len(_HEADINGS), *rows]]
    return "\n".join(f"| {line} |" for line in lines)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pace", description=__doc__)
    parser.add_argument("--pace", type=float, nargs="+", default=[1, 10, 30, 300], help="messages/s (1 10 30 300)")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each run (20)")
    parser.add_argument("--workers", type=int, default=4, help="worker processes (4)")
    parser.add_argument("--margin", type=float, help="ENVOI_PACE_MARGIN, if not its default")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
