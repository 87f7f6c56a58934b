"""What the tests of the duties have in hand: a clock, a job, and a worker's side of the protocol."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

from envoi.job import Job
from envoi.queue.begin import Begin, Go
from envoi.queue.claim import Claim, Claimed
from envoi.queue.queue import Queue
from scheduler.epoch import Gate

PAGE = "100000000000001"


class Clock:
    """Monotonic seconds that move when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Worker:
    """What a worker process does in Redis, by hand: registers, claims, begins, comes back."""

    def __init__(self, queue: Queue, name: str) -> None:
        self.name = name
        self.held: list[Claimed] = []
        self._queue = queue
        self._marked: set[str] = set()
        self._numbers = itertools.count(1)
        queue.renew(name, [])

    def claim(self, want: int = 1) -> list[Claimed]:
        """Claim, and hold what was claimed."""
        claimed: list[Claimed] = self._queue.trip([Claim(want, f"{self.name}:{next(self._numbers)}")])[0].claimed
        self.held += claimed
        return claimed

    def begin(self, held: Claimed) -> None:
        """Mark its message call as begun."""
        assert isinstance(self._queue.trip([Begin(held, None, [])])[0], Go)
        self._marked.add(held.fence)

    def come_back(self) -> int:
        """Tell a restarted Redis what is held. Returns how many it holds now."""
        held = [(h.conversation, h.fence, h.job_id, h.attempt, h.fence in self._marked) for h in self.held]
        return self._queue.reassert(self.name, self._queue.run_id(), held)


def job(person: str = "1", *, in_seconds: float | None = None) -> Job:
    """A job; with a time, it starts so many seconds from now."""
    at = None if in_seconds is None else datetime.now(UTC) + timedelta(seconds=in_seconds)
    return Job(page=PAGE, recipient=person, message="hello", at=at)


def settle(gate: Gate, turns: int = 20) -> Gate:
    """Turn a gate until it is open or does nothing more at once."""
    for _ in range(turns):
        if not gate.turn():
            return gate
    raise AssertionError("the gate turns without end")
