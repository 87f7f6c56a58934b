"""The lease keeper: renews what this process holds, and notices a restarted Redis."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence

import structlog

from envoi.errors import EnvoiError
from envoi.queue.queue import Queue
from worker.engine import Engine

_RENEWALS = 6  # a lease
_LEAST = 0.1  # seconds between two renewals, whatever asks for attention
_RETRY = 0.5  # seconds until the next one after one that failed

log = structlog.get_logger()


class LeaseKeeper:
    """One thread that shows Redis that this process lives.

    Args:
        queue: where the leases are.
        engine: what holds them.
        leave_template: leaves the bell that scripts copy; called whenever Redis has lost it.
    """

    def __init__(self, queue: Queue, engine: Engine, leave_template: Callable[[], None]) -> None:
        self._queue = queue
        self._engine = engine
        self._leave_template = leave_template
        self._lease = queue.settings.lease
        self._run_id: str | None = None
        self._heard = -math.inf  # monotonic seconds of the last renewal that Redis took
        self._stop = threading.Event()
        self._leaves = False
        self._thread = threading.Thread(target=self._keep, name="envoi-leases", daemon=True)

    def start(self) -> None:
        """Register, and start keeping in a thread of its own.

        Raises:
            QueueUnavailable: Redis did not answer.
        """
        self.turn()
        self._thread.start()

    def stop(self, seconds: float, *, leave: bool = True) -> None:
        """Stop keeping.

        Args:
            seconds: how long it may take; Redis may be standing still.
            leave: leave the register of workers as well. Only if nothing is held any more: a restarted Redis would not
                wait for us.
        """
        self._leaves = leave
        self._stop.set()
        self._engine.restarts.attention.set()
        self._thread.join(seconds)

    @property
    def heard_ago(self) -> float:
        """Seconds since Redis took the last renewal; inf: it has taken none yet."""
        return time.monotonic() - self._heard

    def turn(self) -> None:
        """One renewal.

        Raises:
            QueueUnavailable: Redis did not answer; what is held runs on until its lease ends.
        """
        began = time.monotonic()
        before, run_id = self._run_id, self._queue.run_id()
        if run_id != before:
            self._engine.redis_restarted(run_id)  # the first run that we see is told too: nobody need wait for us
        self._run_id = run_id
        held, asked = self._engine.held(), time.monotonic()
        self._engine.renewed(self._renew(held), asked)
        if asked - self._heard > self._lease:  # the scheduler waits for nobody whom it has not heard of for long
            self._engine.registered()
        self._heard = asked
        if run_id == before:
            self._engine.same_run(began)
        if before is not None and (run_id != before or not self._queue.has_template()):
            self._leave_template()  # last: it may take its time

    def _renew(self, held: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        """Renew leases. Returns those that were still ours: a few have ended meanwhile, or were lost."""
        kept = self._queue.renew(self._engine.name, held)
        if kept == len(held):
            return list(held)
        if kept == 0:
            return []
        half = len(held) // 2  # which ones, few trips say: there are far more kept than lost
        return [*self._renew(held[:half]), *self._renew(held[half:])]

    def _keep(self) -> None:
        away = False
        while not self._stop.wait(_LEAST):
            self._engine.restarts.attention.wait(_RETRY if away else max(0.0, self._lease / _RENEWALS - _LEAST))
            self._engine.restarts.attention.clear()
            try:
                self.turn()
                away = False
            except EnvoiError as error:
                if not away:
                    log.warning("leases cannot be renewed now", action="renew", error=str(error))
                away = True
            except Exception:
                log.exception("a renewal met an unforeseen error", action="renew")
                away = True
        if self._leaves:
            self._leave()

    def _leave(self) -> None:
        """Leave the register, unless Redis has restarted and lacks what we told the run before.

        Then it is better waited for in vain: what we may have begun is put to settling, and not begun again.
        """
        try:
            if self._queue.run_id() == self._engine.restarts.told_run:
                self._queue.leave(self._engine.name)
            else:
                log.warning("Redis has restarted: the register of workers keeps this one", action="leave")
        except EnvoiError as error:
            log.warning("could not leave the register of workers", action="leave", error=str(error))
