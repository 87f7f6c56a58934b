"""The lease keeper: renews what this process holds, notices a restarted Redis, and holds the dead-man timer.

The dead-man timer ends a process that stood still for too long, before it can do anything else: a thread frozen
between "may I?" and its first byte would otherwise write after its lease has gone to another (PROTOCOL 3.3). The
kernel counts on while the process is stopped. A call may start within half a lease of the trip that granted it
(engine.RIGHT); the timer is shorter than the other half, so no frozen call outlives the lease.
"""

from __future__ import annotations

import math
import os
import signal
import threading
import time
from collections.abc import Callable

import structlog

from envoi.errors import EnvoiError
from envoi.queue.queue import Queue
from worker.engine import Engine

DEAD_MAN = 0.45  # of a lease; with engine.RIGHT less than 1
_RENEWALS = 6  # a lease
_LEAST = 0.1  # seconds between two renewals, whatever asks for attention
_STUCK = 15.0  # seconds: longer than any trip to Redis may take. An engine that stands still so long is given up

log = structlog.get_logger()


class NoInit(EnvoiError):  # noqa: N818  # says what is wrong
    """This process is the first of its container: the kernel would not let a timer end it."""


class LeaseKeeper:
    """One thread that shows Redis, and the kernel, that this process lives and moves on.

    Args:
        queue: where the leases are.
        engine: what holds them.
        on_restart: told once of every other run of Redis, after the engine.
    """

    def __init__(self, queue: Queue, engine: Engine, on_restart: Callable[[], None]) -> None:
        self._queue = queue
        self._engine = engine
        self._on_restart = on_restart
        self._lease = queue.settings.lease
        self._run_id: str | None = None
        self._heard = -math.inf  # monotonic seconds of the last renewal that Redis took
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Arm the timer, register, and start keeping in a thread of its own.

        Raises:
            NoInit: this process is an init process.
            QueueUnavailable: Redis did not answer.
        """
        if os.getpid() == 1:
            raise NoInit("a worker must not be process 1, which no timer can end: start it under an init such as tini")
        self._arm()
        self.turn()
        self._thread = threading.Thread(target=self._keep, name="envoi-leases", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop keeping, leave the register of workers and disarm the timer. Nothing may be held any more."""
        self._stop.set()
        self._engine.attention.set()
        if self._thread:
            self._thread.join(self._lease)
        signal.setitimer(signal.ITIMER_REAL, 0)
        try:
            self._queue.leave(self._engine.name)
        except EnvoiError as error:
            log.warning("could not leave the register of workers", action="leave", error=str(error))

    def turn(self) -> None:
        """One renewal.

        Raises:
            QueueUnavailable: Redis did not answer; what is held runs on until its lease ends.
        """
        run_id = self._queue.run_id()
        if run_id != self._run_id:
            self._engine.redis_restarted(run_id)  # the first run that we see is told too: nobody need wait for us
            if self._run_id is not None:
                self._on_restart()
        self._run_id = run_id
        held, asked = self._engine.held(), time.monotonic()
        if self._queue.renew(self._engine.name, held) == len(
            held
        ):  # else one of them is lost, and begin will say which
            self._engine.renewed(held, asked)
        if asked - self._heard > self._lease:  # the scheduler waits for nobody whom it has not heard of for so long
            self._engine.registered()
        self._heard = asked

    def _keep(self) -> None:
        away = False
        while True:
            if time.monotonic() - self._engine.turned_at > _STUCK:
                log.critical("the engine stands still; this process ends by its dead-man timer", action="stuck")
                return
            self._arm()
            try:
                self.turn()
                away = False
            except EnvoiError as error:
                if not away:
                    log.warning("leases cannot be renewed now", action="renew", error=str(error))
                away = True
            if self._stop.wait(_LEAST):
                return
            self._engine.attention.wait(max(0.0, self._lease / _RENEWALS - _LEAST))
            if self._stop.is_set():
                return
            self._engine.attention.clear()

    def _arm(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, self._lease * DEAD_MAN)
