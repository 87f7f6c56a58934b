"""The dead-man timer: ends a process that stood still for too long, before it can do anything else.

A thread frozen between "may I?" and its first byte would otherwise write after its lease has gone to another (PROTOCOL
3.3). The kernel counts on while the process is stopped. A call may start within half a lease of the trip that granted
it (dialogue.RIGHT); the timer is shorter than the other half, so no frozen call outlives its lease.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable

import structlog

from envoi.errors import EnvoiError

DEAD_MAN = 0.45  # of a lease; with dialogue.RIGHT less than 1
_ARMINGS = 8  # before the timer would run out
STUCK = 15.0  # seconds: longer than any trip to Redis may take. An engine that stands still so long is given up

log = structlog.get_logger()


class NoInit(EnvoiError):  # noqa: N818  # says what is wrong
    """This process is the first of its container: the kernel would not let a timer end it."""


class DeadMan:
    """Arms the timer again and again, from a thread that does nothing else, so that no trip to Redis can delay it.

    Args:
        lease: seconds.
        turned_at: when the engine last moved on, monotonic seconds.
    """

    def __init__(self, lease: float, turned_at: Callable[[], float]) -> None:
        self._seconds = lease * DEAD_MAN
        self._turned_at = turned_at
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="envoi-deadman", daemon=True)

    def start(self) -> None:
        """Arm the timer. To be called in the main thread, which alone may say what a signal does.

        Raises:
            NoInit: this process is an init process.
        """
        if os.getpid() == 1:
            raise NoInit("a worker must not be process 1, which no timer can end: start it under an init such as tini")
        # Whoever started us may have left it ignored or blocked, and both outlive an exec.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})
        self._arm()
        self._thread.start()

    def stop(self) -> None:
        """Disarm it. Nothing may be held any more."""
        self._stop.set()
        self._thread.join()
        signal.setitimer(signal.ITIMER_REAL, 0)

    def _keep(self) -> None:
        while not self._stop.wait(self._seconds / _ARMINGS):
            if time.monotonic() - self._turned_at() > STUCK:
                log.critical("the engine stands still; this process ends by its dead-man timer", action="stuck")
                return
            self._arm()

    def _arm(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, self._seconds)
