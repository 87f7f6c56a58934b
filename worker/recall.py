"""Recall: what this process told the queue in the last seconds, for a Redis that has lost them.

A Redis that restarts may come back without its last second: then it believes that a job still waits whose message is
out. Each worker knows better what it did itself, and tells it again before anything is claimed (PROTOCOL 3.4).
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

from envoi.events import CallRecord
from envoi.queue.begin import Begin, Begun
from envoi.queue.claim import Claimed
from envoi.queue.done import Done
from envoi.queue.queue import Queue
from envoi.queue.restart import Grip
from worker.trip import ask

_TOGETHER = 100  # commands told in one trip: each carries its script's text while the gate is shut

log = structlog.get_logger()


@dataclass(slots=True)
class Told:
    """What the queue was told of one attempt.

    Attributes:
        marked: whether a message call was allowed to begin, and what came of it was not told since.
        calls: all that were made before the last begin, as told with it.
        dones: what it came to, in order, as far as Redis has answered.
        ended_at: monotonic seconds when Redis was last told of the end; None while the attempt is on its way.
    """

    held: Claimed
    marked: bool = False
    calls: list[CallRecord] = field(default_factory=list)
    dones: list[Done] = field(default_factory=list)
    ended_at: float | None = None

    def begun(self, command: Begin, *, go: bool) -> None:
        """Redis has answered, and noted the calls before the message; with ``go`` the message call may start."""
        self.calls = command.calls
        self.marked = self.marked or go

    def done(self, command: Done) -> None:
        """Redis has taken what came of a call."""
        self.dones.append(command)
        self.marked = False

    def again(self) -> list[Begun | Done]:
        """All of it, in order, for a Redis that may have lost it."""
        return [*([Begun(self.held, self.calls)] if self.calls else []), *self.dones]


class Recall:
    """The attempts that ended in the last seconds, oldest first.

    Args:
        seconds: how much of the past is kept: what a restarted Redis may have lost, and a margin.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ended: deque[Told] = deque()

    def __len__(self) -> int:
        return len(self._ended)

    def ended(self, told: Told) -> None:
        """An attempt is over and Redis has answered its last command."""
        told.ended_at = time.monotonic()
        self._ended.append(told)

    def forget(self, sure: float) -> None:
        """Forget what Redis can no longer lose.

        Args:
            sure: monotonic seconds at which the run of Redis that has been told everything still answered. The answer
                of another run says nothing: it may be the one that has lost what is kept here.
        """
        oldest = sure - self._seconds
        while self._ended and (self._ended[0].ended_at or 0.0) < oldest:
            self._ended.popleft()

    def tell_again(
        self, queue: Queue, worker: str, run_id: str, running: Sequence[Told], moved_on: Callable[[], None]
    ) -> None:
        """Tell a restarted Redis what has ended, and how, then what is still held. May be repeated.

        While the gate is shut, `begun` and `done` restore the hold that they speak of (restore.lua).

        Args:
            queue: where it is told.
            worker: our name in its register.
            run_id: of the present run of Redis.
            running: the attempts on their way.
            moved_on: called after each trip: there may be thousands to tell.

        Raises:
            QueueUnavailable: Redis did not answer; nobody claims before it was told, so try again.
        """
        words = [word for told in [*self._ended, *running] for word in told.again()]
        for start in range(0, len(words), _TOGETHER):
            some = words[start : start + _TOGETHER]
            for word, answer in zip(some, ask(queue, some), strict=True):
                if isinstance(answer, Exception):  # a defect of ours; the others are told all the same
                    log.error("a script failed", action="reassert", job=word.held.job_id, error=str(answer))
            moved_on()
        held = [Grip.of(told.held, marked=told.marked) for told in running]
        queue.reassert(worker, run_id, held)
        now = time.monotonic()
        for told in self._ended:
            told.ended_at = now  # this run may be lost in its turn
        log.info("told Redis what is held", action="reassert", redis_run=run_id, held=len(held), ended=len(self))
