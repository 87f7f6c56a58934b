"""Turning: what the engine's thread does, and nobody else.

It makes calls itself, on sockets that do not block (worker/lines.py); what may block is done by other threads, a call a
thread, and what they bring is put in the inbox. Each turn takes all that has come, resumes the attempts, and sends all
they ask of the queue in one trip (worker/dialogue.py).
"""

from __future__ import annotations

import threading
import time

import structlog

from envoi.errors import EnvoiError
from envoi.queue.bell_list import Bell
from envoi.queue.queue import Queue
from worker.appetite import Appetite
from worker.callers import Callers
from worker.dialogue import Dialogue
from worker.ear import Ear
from worker.inbox import Inbox
from worker.lines import Lines
from worker.recall import Told
from worker.restarts import Restarts
from worker.running import Asked, News, Running, Watchers
from worker.trips import Trips
from worker.walks import Walks

_REDIS_PAUSE = 0.2  # seconds between trips while Redis does not answer

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
        self._inbox = inbox
        self._appetite = appetite
        self._ear = ear
        self._dialogue = Dialogue(
            queue, name, trips=Trips(queue, inbox), walks=self._walks, appetite=appetite, restarts=self.restarts
        )

    def run(self) -> None:
        """Turn until :attr:`stopping` is set and nothing is on its way any more."""
        try:
            while not (self.stopping.is_set() and not self.running and not self._dialogue.open):
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
        self._dialogue.hear()
        try:
            self.restarts.tell()
            self._dialogue.ask()  # Redis works while the attempts go on
        finally:
            self._dialogue.go_on()
        self._dialogue.ask()
        self._appetite.rest(busy=bool(self.running) or self._dialogue.open)
        self._ear.listen(wanted=self._appetite.awake and self._dialogue.has_room)

    def _ended(self, running: Running) -> None:
        self.restarts.recall.ended(running.told)
        self._appetite.soon()  # its conversation may have a next job, and there is room again

    def _tolds(self) -> list[Told]:
        return [running.told for running in self.running.values()]

    def _move_on(self) -> None:
        self.turned_at = time.monotonic()

    def _patience(self) -> float:
        """Seconds that this turn may wait for news."""
        if self.restarts.to_tell:
            return 0.0
        now = time.monotonic()
        return max(0.0, min(now + 1.0, self._dialogue.next_at, self._walks.timers.next_at) - now)

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
            self._dialogue.came(news)
        elif isinstance(news, Bell):
            self._hear(news)
        elif isinstance(news, str):
            self.restarts.another(news)
        else:
            self._appetite.known(news)
            self.restarts.same(news)

    def _hear(self, bell: Bell) -> None:
        if self._dialogue.has_room:
            self._ear.answered(bell)
            self._appetite.ring()
            self._appetite.soon()
        else:  # for another worker
            self._ear.refuse(bell)
