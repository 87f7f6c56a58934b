"""The lease keeper: renews what this process holds, and notices a restarted Redis."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

import structlog

from envoi.errors import EnvoiError
from envoi.queue.queue import Queue
from worker.engine import Engine

_RENEWALS = 6  # a lease
_LEAST = 0.1  # seconds between two renewals, whatever asks for attention

log = structlog.get_logger()


class LeaseKeeper:
    """One thread that shows Redis that this process lives.

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
        self._thread = threading.Thread(target=self._keep, name="envoi-leases", daemon=True)

    def start(self) -> None:
        """Register, and start keeping in a thread of its own.

        Raises:
            QueueUnavailable: Redis did not answer.
        """
        self.turn()
        self._thread.start()

    def stop(self) -> None:
        """Stop keeping, and leave the register of workers. Nothing may be held any more."""
        self._stop.set()
        self._engine.attention.set()
        self._thread.join(self._lease)
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
        if self._queue.renew(self._engine.name, held) == len(held):
            self._engine.renewed(held, asked)  # else one of them is lost, and begin will say which
        if asked - self._heard > self._lease:  # the scheduler waits for nobody whom it has not heard of for so long
            self._engine.registered()
        self._heard = asked

    def _keep(self) -> None:
        away = False
        while not self._stop.wait(_LEAST):
            self._engine.attention.wait(max(0.0, self._lease / _RENEWALS - _LEAST))
            self._engine.attention.clear()
            try:
                self.turn()
                away = False
            except EnvoiError as error:
                if not away:
                    log.warning("leases cannot be renewed now", action="renew", error=str(error))
                away = True
