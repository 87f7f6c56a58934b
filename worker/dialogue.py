"""The dialogue of an engine with the queue: what its attempts ask goes on trips, and answers resume them.

Redis and the engine's thread work at the same time: what has been asked meanwhile departs as soon as answers are read,
before the attempts that they are for go on.
"""

from __future__ import annotations

import itertools
import math
import time

import structlog

from envoi.errors import EnvoiError
from envoi.queue.begin import Begin, Go, No
from envoi.queue.claim import Catch, Claim
from envoi.queue.done import Done
from envoi.queue.queue import Queue
from worker.appetite import Appetite
from worker.restarts import Restarts
from worker.running import Asked, Running, Wish
from worker.trips import Trips
from worker.walks import Walks

RIGHT = 0.5  # of a lease: so long after the trip that granted it may a call start; the rest covers a freeze
_MISHAP_PAUSE = 1.0  # seconds until the next claim after one whose script failed

log = structlog.get_logger()


class Dialogue:
    """Of one engine, in its thread.

    Args:
        queue: whom it talks to.
        name: of the engine.
        trips: what is asked goes with them.
        walks: ask, and are resumed.
        appetite: says when to claim.
        restarts: what is known of the run of Redis that answers.
    """

    def __init__(
        self, queue: Queue, name: str, *, trips: Trips, walks: Walks, appetite: Appetite, restarts: Restarts
    ) -> None:
        self._lease = queue.settings.lease
        self._room = queue.settings.concurrency
        self._name = name
        self._trips = trips
        self._walks = walks
        self._appetite = appetite
        self._restarts = restarts
        self._numbers = itertools.count(1)
        self._heard: list[tuple[Wish, object, float]] = []  # answered, not resumed yet; and until when calls may start

    @property
    def open(self) -> bool:
        """Whether an answer is waited for."""
        return self._trips.asked is not None

    @property
    def has_room(self) -> bool:
        """Whether another attempt may begin, once what ends has ended."""
        return self._free() > 0 and not self._walks.stopping.is_set()

    @property
    def next_at(self) -> float:
        """When there is something to ask or to hear, monotonic seconds, if no news come before."""
        asked = self._trips.asked
        if asked is not None:
            return -math.inf if self._trips.due else asked.until
        return -math.inf if self._walks.wishes else self._next_claim()

    def came(self, asked: Asked) -> None:
        """The inbox has brought what departed."""
        self._trips.came(asked)

    def hear(self) -> None:
        """Read answers that have come, and note them. If Redis fails, wishes stay: each may be asked twice.

        Raises:
            QueueUnavailable: Redis did not answer.
        """
        asked = self._trips.asked
        if asked is None or not (self._trips.due or self._restarts.to_tell):
            return
        try:
            answers = self._trips.answers(asked, self._restarts.when_shut)
        except EnvoiError:
            self._walks.wishes[:0] = [wish for wish in asked.wishes if not wish.claims]
            raise
        self._restarts.away = False
        right_ends = asked.at + self._lease * RIGHT
        for wish, answer in zip(asked.wishes, answers, strict=True):
            self._note(wish, answer, right_ends)
            self._heard.append((wish, answer, right_ends))

    def ask(self) -> None:
        """Send all wishes on a trip, unless one is on its way.

        Raises:
            QueueUnavailable: there is no connection.
        """
        if self._trips.asked is not None:
            return
        if any(wish.ends for wish in self._walks.wishes):  # their conversations may have a next job
            self._appetite.soon()
        if time.monotonic() >= self._next_claim():
            self._appetite.asking()
            self._walks.wishes.append(Wish(Claim(self._free(), f"{self._name}:{next(self._numbers):x}")))
        wishes = self._walks.wishes
        if not wishes:
            return
        # Should it not depart they stay, but for a claim: nobody waits for it, and the next turn makes a new one.
        self._walks.wishes = [wish for wish in wishes if not wish.claims]
        self._trips.depart(wishes)
        self._walks.wishes = []

    def go_on(self) -> None:
        """Resume what has been answered."""
        heard, self._heard = self._heard, []
        for wish, answer, right_ends in heard:
            if isinstance(answer, Exception):
                self._mishap(wish, answer)
            elif isinstance(answer, Catch):
                for held in answer.claimed:
                    self._walks.start(held, right_ends)
            elif wish.running is not None and wish.waits:
                self._walks.resume(wish.running, answer)

    def _free(self) -> int:
        """Room for more attempts, once what has been told to end has ended and what was claimed has begun."""
        free = self._room - len(self._walks.running) + sum(wish.ends for wish in self._walks.wishes)
        for wish, answer, _ in self._heard:
            free += wish.ends
            if isinstance(answer, Catch):
                free -= len(answer.claimed)
        return free

    def _next_claim(self) -> float:
        return self._appetite.next_claim if self.has_room else math.inf

    def _note(self, wish: Wish, answer: object, right_ends: float) -> None:
        """Before anything else is asked: what a restarted Redis would have to be told, and when to claim next."""
        if isinstance(answer, Exception):
            return
        if isinstance(answer, Catch):
            self._restarts.see_gate(shut=answer.gate_closed)
            full = isinstance(wish.command, Claim) and len(answer.claimed) == wish.command.want
            self._appetite.fed(answer, full=full, busy=bool(self._walks.running or answer.claimed))
        elif wish.running is not None:
            self._note_told(wish.running, wish, answer, right_ends)

    def _note_told(self, running: Running, wish: Wish, answer: object, right_ends: float) -> None:
        if isinstance(wish.command, Done):
            running.told.done(wish.command)
        elif isinstance(wish.command, Begin):
            go = isinstance(answer, Go)
            if go and wish.command.renew:
                running.right_ends = max(running.right_ends, right_ends)
            running.told.begun(wish.command, go=go)
            self._restarts.see_gate(shut=isinstance(answer, No) and answer.why == "gate")

    def _mishap(self, wish: Wish, error: Exception) -> None:
        """A script itself failed: a defect of ours. The attempt is left to its lease; nothing else stops."""
        job_id = wish.running.held.job_id if wish.running else None
        log.error("a script failed", action="script", script=wish.command.script, job=job_id, error=str(error))
        if wish.running:
            self._walks.leave(wish.running)
        else:
            self._appetite.later(_MISHAP_PAUSE)
