"""Appetite: when the engine claims next, and whether whoever answers a bell is free for the next one.

Bells are Celery's, and come at once. Should they not come, because Celery cannot connect again or somebody has read
them and died, each worker asks by itself now and then.
"""

from __future__ import annotations

import math
import threading
import time

from envoi.queue.claim import Catch
from envoi.settings import Settings

# Seconds between claims while awake with nothing left to claim, should a bell not be heard (worker/ear.py).
_POLL = 0.05
UNRUNG = 5.0  # seconds between claims that no bell asked for: Celery's own connection to Redis may be away for long
_LEAST = 0.001  # seconds between claims, however soon a page may send again
_LINGER = 1.0  # seconds: it stays awake for a page whose pace lets it go on this soon


class Appetite:
    """Bells rung, claims answered, and the time of the next claim. All times are monotonic seconds.

    A bell counts as answered by a claim that was asked for after it, never by one that was on its way already: so a
    bell that rings while Redis says "nothing" is not lost.

    Args:
        settings: lease, and how much a restarted Redis may have lost.
    """

    def __init__(self, settings: Settings) -> None:
        self._lease = settings.lease
        self._loss_bound = settings.loss_bound
        self._lock = threading.Lock()
        self._rung = 0
        self._asked = 0  # bells rung when the last claim was asked for
        self._answered = 0
        self._over = False
        self._idle = threading.Event()
        self._idle.set()
        self._first = math.inf
        self._known_until = -math.inf
        self._at = math.inf
        self._asked_at = time.monotonic()

    # ---- any thread

    def ring(self) -> None:
        """There may be work."""
        with self._lock:
            if not self._over:
                self._rung += 1
                self._idle.clear()

    def wait_idle(self, seconds: float) -> bool:
        """Wait until every bell is answered and nothing is in flight, or the time is up. Returns whether so."""
        return self._idle.wait(seconds)

    def close(self) -> None:
        """Bells are heard no more."""
        with self._lock:
            self._over = True

    def end(self) -> None:
        """Nobody need wait any more."""
        self.close()
        self._idle.set()

    def registered(self) -> None:
        """The register of workers has us (again): claim once Redis can no longer lose that."""
        now = time.monotonic()
        self._first = now + self._loss_bound
        self._known_until = now + self._lease

    # ---- the engine's thread

    @property
    def awake(self) -> bool:
        """Whether a bell is not answered yet."""
        return self._rung != self._answered

    @property
    def next_claim(self) -> float:
        """When to claim next; never while the register may have dropped us."""
        if time.monotonic() >= self._known_until:
            return math.inf
        return max(self._at if self.awake else self._asked_at + UNRUNG, self._first)

    def known(self, asked: float) -> None:
        """The register had us at ``asked``."""
        self._known_until = max(self._known_until, asked + self._lease)

    def soon(self) -> None:
        """There is reason to claim at once."""
        self._at = -math.inf

    def later(self, seconds: float) -> None:
        """Claim no sooner than in so many seconds."""
        self._at = time.monotonic() + seconds

    def asking(self) -> None:
        """A claim is on its way."""
        self._asked, self._asked_at = self._rung, time.monotonic()

    def fed(self, catch: Catch, *, full: bool, busy: bool) -> None:
        """What the claim brought.

        Args:
            catch: the answer.
            full: it brought all that was asked for: there may be more.
            busy: something is in flight, whose bell keeps this worker from the others.
        """
        if catch.claimed and not self.awake:
            self.ring()  # as if a bell had asked: there may be more
        if catch.gate_closed:
            self._answered = self._asked  # once it is open, the scheduler rings
        elif full:
            self.soon()
        else:
            if not busy and (catch.next_in is None or catch.next_in >= _LINGER):
                self._answered = self._asked
            self.later(_POLL if catch.next_in is None else min(_POLL, max(_LEAST, catch.next_in)))

    def rest(self, *, busy: bool) -> None:
        """The end of a turn: whoever answers a bell may be free for the next one."""
        with self._lock:
            if not busy and not self.awake:
                self._idle.set()
