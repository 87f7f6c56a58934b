"""Walks: attempts on their way, generators that ask for calls, commands and waits, resumed with what came of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog

from envoi.queue.begin import Begin, No
from envoi.queue.claim import Claimed
from envoi.settings import Settings
from worker.acting import attempt
from worker.asks import Ask, Call, Look, Tell, Wait
from worker.callers import Callers
from worker.recall import Told
from worker.running import News, Running, Watchers, Wish
from worker.timers import Timers

log = structlog.get_logger()


class Walks:
    """Those of one engine, in its thread. Other threads may read ``running``, from a copy.

    Args:
        settings: what attempts go by.
        callers: make the calls.
        watchers: told of every attempt.
        bring: takes what an attempt is to be resumed with in the next turn.
        ended: called with each that has come to its end, before the watchers.
        stopping: set: nothing more may begin.

    Attributes:
        running: all of them, by fence.
        wishes: what they ask of the queue, or tell it.
        timers: those that wait for a moment.
        stopping: as given.
    """

    def __init__(
        self,
        settings: Settings,
        callers: Callers,
        watchers: Watchers,
        *,
        bring: Callable[[News], None],
        ended: Callable[[Running], None],
        stopping: threading.Event,
    ) -> None:
        self.running: dict[str, Running] = {}
        self.wishes: list[Wish] = []
        self.timers = Timers()
        self._settings = settings
        self._callers = callers
        self._watchers = watchers
        self._bring = bring
        self._ended = ended
        self.stopping = stopping

    def start(self, held: Claimed, right_ends: float) -> None:
        """Begin with what was claimed.

        Args:
            held: the claim.
            right_ends: monotonic seconds until which its lease lets a call start.
        """
        try:
            delivery = attempt(held, self._settings)
        except Exception:
            log.exception("a job cannot be read", action="abandon", job=held.job_id)
            return  # left to its lease; nothing was made of it
        walk = delivery.walk() if time.monotonic() < right_ends else delivery.give_back()
        running = Running(held, delivery, walk, Told(held), right_ends)
        self.running[held.fence] = running
        self._watchers.started(delivery)
        self.resume(running, None)

    def resume(self, running: Running, value: object) -> None:
        """Let an attempt go on with the answer it waited for, up to its next question."""
        if running.held.fence not in self.running:
            return  # it was left to its lease meanwhile
        if isinstance(value, Exception):  # what its call raised
            self._abandon(running, value)
            return
        try:
            self._see_to(running, running.walk.send(value))
        except StopIteration as end:
            self._end(running, end.value)
        except Exception as error:  # noqa: BLE001  # logged; it stops no other attempt
            self._abandon(running, error)

    def leave(self, running: Running) -> None:
        """Do nothing more for an attempt: its lease runs out, and the queue decides by what it was told."""
        self.running.pop(running.held.fence, None)  # of two commands that it asked both may have failed

    def _see_to(self, running: Running, wanted: Ask) -> None:
        match wanted:
            case Call():
                self._callers.call(running, wanted)
            case Look():
                self._callers.look(running, wanted)
            case Wait(seconds):
                self.timers.wait(running, seconds)
            case Tell(command):
                self.wishes.append(Wish(command, running, waits=False))
                self.resume(running, None)
            case Begin() if self.stopping.is_set():
                self._bring((running, No("shutdown")))  # nothing has begun: it is given back
            case _:
                self.wishes.append(Wish(wanted, running))

    def _end(self, running: Running, came_to: str) -> None:
        del self.running[running.held.fence]
        self._ended(running)
        self._watchers.ended(running.delivery, came_to, time.monotonic() - running.started)

    def _abandon(self, running: Running, error: Exception) -> None:
        log.error("an attempt met an unforeseen error", action="abandon", job=running.held.job_id, exc_info=error)
        self.leave(running)
