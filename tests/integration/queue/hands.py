"""What the tests of the queue have in hand: a clock that moves when told, and a worker's side of the protocol."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
import redis

from envoi.events import CallRecord, Event, GraphError, parse_event
from envoi.job import Job
from envoi.outcomes import Outcome, read_outcome
from envoi.queue import scripts
from envoi.queue.begin import Begin, BeginAnswer
from envoi.queue.claim import Claim, Claimed
from envoi.queue.done import Done
from envoi.queue.queue import Queue
from envoi.queue.restart import Grip
from envoi.settings import Settings
from envoi.states import State

PAGE = "100000000000001"
TEMPLATE = '{"id": "ENVOIBELLID", "tag": "ENVOIBELLTAG"}'


# Between two scripts at least a microsecond goes by on a real clock too: no two see the same time.
STOPPED_CLOCK = """
if redis.call('EXISTS', K .. 'test-clock') == 0 then redis.call('SET', K .. 'test-clock', stamp(now)) end
now = tonumber(redis.call('INCRBYFLOAT', K .. 'test-clock', '0.000001'))
"""


@contextmanager
def movable_clock() -> Iterator[None]:
    """Let the clock of the scripts stand still until a test moves it; else they are those of production."""
    read = scripts._read

    def stopped(name: str) -> str:
        text = read(name)
        return f"{text}\n{STOPPED_CLOCK}" if name == "clock" else text

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scripts, "_read", stopped)
        scripts.script.cache_clear()
        yield
    scripts.script.cache_clear()


class Bench(Queue):
    """A queue with a movable clock, and short ways to do and see things."""

    def __init__(self, client: redis.Redis, **settings: Any) -> None:
        super().__init__(client, Settings(**{"page_pace": 1000.0, "pace_margin": 0.0, **settings}))
        self.db: Any = client  # redis-py types every answer as text or bytes; here it is text
        self._numbers = itertools.count(1)
        self.run = "run0"
        self.since = 0.0
        client.set(self.keys.template, TEMPLATE)

    def open(self) -> None:
        self.open_gate(self.run_id())

    def restart(self) -> None:
        """As far as the scripts can see: they are gone, and the run is another one."""
        self.db.script_flush()
        self.run = f"run{next(self._numbers)}"
        self.since = self.now()

    def started_at(self) -> float:
        return self.since

    def look_over(self) -> int:
        """The whole suspect pass. Returns how many heads it moved."""
        moved, cursor = 0, ""
        while True:
            step = self.suspect(self.run, cursor)
            moved += step.moved
            if step.cursor is None:
                return moved
            cursor = step.cursor

    def now(self) -> float:
        stopped_at = self.db.get(f"{self.keys.base}test-clock")
        seconds, micros = self.db.time()
        return float(stopped_at or seconds + micros / 1e6)

    def sleep(self, seconds: float) -> None:
        self.db.set(f"{self.keys.base}test-clock", f"{self.now() + seconds:.6f}")

    def put(self, person: str = "1", **options: Any) -> str:
        at = options.pop("at_in", None)
        if at is not None:
            options["at"] = datetime.fromtimestamp(self.now() + at, UTC)
        expires = options.pop("expires_in", None)
        if expires is not None:
            options["expires_at"] = datetime.fromtimestamp(self.now() + expires, UTC)
        page = options.pop("page", PAGE)
        return self.enqueue([Job(page=page, recipient=person, message=options.pop("text", "hello"), **options)])[0]

    def claim_all(self, count: int, step: float = 0.1) -> list[Claimed]:
        """Claim so many, while time goes by in such steps for their page's pace."""
        held: list[Claimed] = []
        while len(held) < count:
            held += self.claim(count)
            self.sleep(step)
        return held

    def claim(self, want: int = 1) -> list[Claimed]:
        claimed: list[Claimed] = self.trip([Claim(want, f"w{next(self._numbers)}")])[0].claimed
        return claimed

    def take(self) -> Claimed:
        [held] = self.claim(1)
        return held

    def begin(self, held: Claimed, **options: Any) -> BeginAnswer:
        answer: BeginAnswer = self.trip(
            [Begin(held, options.pop("typed_at", None), options.pop("calls", []), **options)]
        )[0]
        return answer

    def done(self, held: Claimed, op: Any, **options: Any) -> str:
        if op == "settle":
            options.setdefault("state", State.SENT)
        if op == "retry":
            options.setdefault("error", GraphError("later", 2))
        return str(self.trip([Done(held, op, options.pop("calls", []), **options)])[0])

    def sent(self, held: Claimed, message_id: str = "m") -> str:
        return self.done(held, "settle", message_id=message_id)

    def again(self, held: Claimed, *, marked: bool, worker: str = "w", back: bool = True) -> int:
        return self.reassert(worker, self.run, [Grip.of(held, marked=marked)], back=back)

    def state(self, job_id: str) -> str:
        return str(self.status(job_id)["state"])

    def place(self, person: str = "1", page: str = PAGE) -> str | None:
        place: str | None = self.db.hget(self.keys.conversation(f"{page}/id/{person}"), "pl")
        return place

    def busy(self, page: str = PAGE) -> int:
        return int(self.db.hget(self.keys.page(page), "busy") or 0)

    def held_pages(self) -> Counter[str]:
        return Counter(conv.split("/")[0] for conv in self.db.zrange(f"{self.keys.base}lease", 0, -1))

    def events(self, job_id: str | None = None) -> list[Event]:
        rows = [parse_event(position, fields) for position, fields in self.db.xrange(self.keys.events)]
        return [event for event in rows if job_id in (None, event.job_id)]

    def states(self, job_id: str) -> list[str]:
        return [event.state for event in self.events(job_id) if event.state]

    def outcomes(self, name: str) -> list[Outcome]:
        rows = self.db.xrange(self.keys.outcomes(name))
        return [read_outcome(position, fields) for position, fields in rows]

    def bells(self) -> int:
        return int(self.db.llen(self.keys.bells))


def call(step: str = "message", verdict: str = "Accepted") -> CallRecord:
    return CallRecord(step=step, started_at=1.5, duration_ms=2.0, verdict=verdict)
