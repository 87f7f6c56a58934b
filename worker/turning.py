"""Turning: what the engine's thread does, and nobody else.

It makes calls itself, on sockets that do not block (worker/lines.py); what may block is done by other threads, a call a
thread, and what they bring is put in the inbox. Each turn takes all that has come, resumes the attempts, and sends all
they ask of the queue in one trip. It does not wait for the trip: Redis and this thread work at the same time.
"""

from __future__ import annotations

import itertools
import math
import threading
import time
from collections.abc import Sequence

import structlog

from envoi.errors import EnvoiError
from envoi.queue.begin import Begin, Go, No
from envoi.queue.bell_list import Bell
from envoi.queue.claim import Catch, Claim
from envoi.queue.done import Done
from envoi.queue.queue import Queue
from worker.appetite import Appetite
from worker.callers import Callers
from worker.ear import Ear
from worker.inbox import Inbox
from worker.lines import Lines
from worker.recall import Told
from worker.restarts import Restarts
from worker.running import Asked, News, Running, Watchers, Wish
from worker.trips import Trips
from worker.walks import Walks

RIGHT = 0.5  # of a lease: so long after the trip that granted it may a call start; the rest covers a freeze
_REDIS_PAUSE = 0.2  # seconds between trips while Redis does not answer
_MISHAP_PAUSE = 1.0  # seconds until the next claim after one whose script failed

log = structlog.get_logger()


class Turning:
    """Turns attempts, up to ``settings.concurrency`` at once, in the thread that calls :meth:`run`.

    Args:
        queue: where jobs come from and outcomes go.
        name: of the engine.
        inbox: brings what other threads have for it.
        appetite: says when to claim.
        ear: hears bells, and is told when that is wanted.
        callers: make the calls.
        watchers: told of every attempt.

    Attributes:
        turned_at: when it last moved on, monotonic seconds.
        running: the attempts on their way, by fence. Other threads may read it, from a copy.
        restarts: what it knows of the run of Redis that it works with.
        stopping: set by whoever wants it to end.
    """

    def __init__(
        self,
        queue: Queue,
        name: str,
        *,
        inbox: Inbox[News] | Lines,
        appetite: Appetite,
        ear: Ear,
        callers: Callers,
        watchers: Watchers,
    ) -> None:
        self.turned_at = time.monotonic()
        self.stopping = threading.Event()
        self._walks = Walks(
            queue.settings, callers, watchers, bring=inbox.put, ended=self._ended, stopping=self.stopping
        )
        self.running = self._walks.running
        self.restarts = Restarts(queue, name, self._tolds, self._move_on, appetite.registered)
        self._queue = queue
        self._name = name
        self._room = queue.settings.concurrency
        self._inbox = inbox
        self._appetite = appetite
        self._ear = ear
        self._numbers = itertools.count(1)
        self._trips = Trips(queue, inbox)  # what comes to be asked while one is on its way goes with the next

    def run(self) -> None:
        """Turn until :attr:`stopping` is set and nothing is on its way any more."""
        try:
            while not (self.stopping.is_set() and not self.running and self._trips.asked is None):
                self.turned_at = time.monotonic()
                try:
                    self._turn()
                except EnvoiError as error:  # Redis does not answer: what was asked is asked again
                    self.restarts.lost_touch(error)
                    time.sleep(_REDIS_PAUSE)
        except Exception:
            # What it held is in an unknown state. Nothing is begun any more, and `turned_at` stands still.
            log.critical("the engine broke; the dead-man timer will end this process", action="stuck", exc_info=True)
        finally:
            self._appetite.end()
            self._ear.stop()

    def _turn(self) -> None:
        self._collect(self._patience())
        self._hear_answers()
        self.restarts.tell()
        if self._trips.asked is None:
            ending = sum(wish.ends for wish in self._walks.wishes)
            if ending:  # their conversations may have a next job, and there will be room
                self._appetite.soon()
            if time.monotonic() >= self._next_claim(ending):
                want = self._room - len(self.running) + ending
                self._appetite.asking()
                self._walks.wishes.append(Wish(Claim(want, f"{self._name}:{next(self._numbers):x}")))
            if self._walks.wishes:
                self._ask()
        self._appetite.rest(busy=bool(self.running) or self._trips.asked is not None)
        self._ear.listen(wanted=self._appetite.awake and self._takes_more())

    def _ended(self, running: Running) -> None:
        self.restarts.recall.ended(running.told)
        self._appetite.soon()  # its conversation may have a next job, and there is room again

    def _tolds(self) -> list[Told]:
        return [running.told for running in self.running.values()]

    def _move_on(self) -> None:
        self.turned_at = time.monotonic()

    def _next_claim(self, ending: int = 0) -> float:
        return self._appetite.next_claim if self._takes_more(ending) else math.inf

    def _takes_more(self, ending: int = 0) -> bool:
        return len(self.running) - ending < self._room and not self.stopping.is_set()

    def _patience(self) -> float:
        """Seconds that this turn may wait for news."""
        asked = self._trips.asked
        if self.restarts.to_tell or (self._walks.wishes and not asked):
            return 0.0
        now = time.monotonic()
        goes_on = asked.until if asked else self._next_claim()
        return max(0.0, min(now + 1.0, goes_on, self._walks.timers.next_at) - now)

    def _collect(self, seconds: float) -> None:
        """Take all that has come and resume the attempts it is for."""
        for news in self._inbox.take(seconds):
            self._take(news)
        for running in self._walks.timers.due():
            self._walks.resume(running, None)

    def _take(self, news: News) -> None:
        if isinstance(news, tuple):
            self._walks.resume(*news)
        elif news is None:
            self._appetite.soon()
        elif isinstance(news, Asked):
            self._trips.came(news)
        elif isinstance(news, Bell):
            self._hear(news)
        elif isinstance(news, str):
            self.restarts.another(news)
        else:
            self._appetite.known(news)
            self.restarts.same(news)

    def _hear(self, bell: Bell) -> None:
        if self._takes_more():
            self._ear.answered(bell)
            self._appetite.ring()
            self._appetite.soon()
        else:  # for another worker
            self._ear.refuse(bell)

    def _ask(self) -> None:
        """Send all wishes on a trip. While Redis works on it, calls go on."""
        wishes = self._walks.wishes
        # Should it not depart they stay, but for a claim: nobody waits for it, and the next turn makes a new one.
        self._walks.wishes = [wish for wish in wishes if not wish.claims]
        self._trips.depart(wishes)
        self._walks.wishes = []
        self._hear_answers()

    def _hear_answers(self) -> None:
        """Resume what waits for answers that have come. If Redis fails, wishes stay: each may be asked twice."""
        asked = self._trips.asked
        if asked is None or not (self._trips.due or self.restarts.to_tell):
            return
        try:
            answers = self._trips.answers(asked, self.restarts.when_shut)
        except EnvoiError:
            self._walks.wishes[:0] = [wish for wish in asked.wishes if not wish.claims]
            raise
        self.restarts.away = False
        right_ends = asked.at + self._queue.settings.lease * RIGHT
        self._resume(asked.wishes, answers, right_ends)

    def _resume(self, wishes: Sequence[Wish], answers: Sequence[object], right_ends: float) -> None:
        for wish, answer in zip(wishes, answers, strict=True):
            if isinstance(answer, Exception):
                self._mishap(wish, answer)
            elif isinstance(answer, Catch):
                full = isinstance(wish.command, Claim) and len(answer.claimed) == wish.command.want
                self._caught(answer, right_ends, full=full)
            elif wish.running is not None:
                self._answered(wish.running, wish, answer, right_ends)

    def _answered(self, running: Running, wish: Wish, answer: object, right_ends: float) -> None:
        if isinstance(wish.command, Done):
            running.told.done(wish.command)
        elif isinstance(wish.command, Begin):
            go = isinstance(answer, Go)
            if go:
                running.right_ends = max(running.right_ends, right_ends)
            running.told.begun(wish.command, go=go)
            self.restarts.see_gate(shut=isinstance(answer, No) and answer.why == "gate")
        self._walks.resume(running, answer)

    def _caught(self, catch: Catch, right_ends: float, *, full: bool) -> None:
        self.restarts.see_gate(shut=catch.gate_closed)
        for held in catch.claimed:
            self._walks.start(held, right_ends)
        self._appetite.fed(catch, full=full, busy=bool(self.running))

    def _mishap(self, wish: Wish, error: Exception) -> None:
        """A script itself failed: a defect of ours. The attempt is left to its lease; nothing else stops."""
        job_id = wish.running.held.job_id if wish.running else None
        log.error("a script failed", action="script", script=wish.command.script, job=job_id, error=str(error))
        if wish.running:
            self._walks.leave(wish.running)
        else:
            self._appetite.later(_MISHAP_PAUSE)
