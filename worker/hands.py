"""Hands: threads that each make one call at a time and put what came of it where the engine looks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue

import structlog

log = structlog.get_logger()


class Hands:
    """A fixed number of threads, started as they are needed.

    They are daemons, unlike those of ``concurrent.futures``: a call that has not ended when the process must stop does
    not hold it back; the queue settles such a job by its lease.
    """

    def __init__(self, count: int) -> None:
        self._most = count
        self._started = 0
        self._idle = 0
        self._lock = threading.Lock()
        self._work: SimpleQueue[Callable[[], None] | None] = SimpleQueue()

    def do(self, work: Callable[[], None]) -> None:
        """Have it done by the next free thread. What it raises is logged."""
        with self._lock:
            if self._idle:
                self._idle -= 1
            elif self._started < self._most:
                self._started += 1
                threading.Thread(target=self._run, name=f"envoi-call-{self._started}", daemon=True).start()
        self._work.put(work)

    @property
    def busy(self) -> int:
        """How many are at work."""
        return self._started - self._idle

    def stop(self) -> None:
        """Let the threads end once nothing is left to do; waits for none of them."""
        for _ in range(self._started):
            self._work.put(None)

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            try:
                work()
            except Exception:
                log.exception("a call's thread met an unforeseen error", action="call")
            with self._lock:
                self._idle += 1
