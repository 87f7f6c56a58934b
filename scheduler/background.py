"""What a scheduler does beside its duties: work that waits for SQL, for the Graph API or for a broker.

The duties must not wait for any of them, so each has a thread of its own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Protocol

import structlog

from scheduler.troubles import Troubles

_PAUSE = 1.0  # seconds until work that broke is started anew

log = structlog.get_logger()


class Work(Protocol):
    """What one thread does."""

    @property
    def name(self) -> str:
        """In logs and of the thread: one word."""

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop; outages are waited for inside."""


class Background:
    """Threads, one for each piece of work, that start and stop together.

    Args:
        works: what they do.
        troubles: told of work that broke; it is started anew.
    """

    def __init__(self, works: Sequence[Work], troubles: Troubles) -> None:
        self._troubles = troubles
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._keep, args=(work,), name=f"envoi-{work.name}", daemon=True) for work in works
        ]

    def start(self) -> None:
        """Start them all."""
        for thread in self._threads:
            thread.start()

    def stop(self, seconds: float) -> bool:
        """Tell them to stop, and wait so long for what is under way. Returns whether all ended."""
        self._stopping.set()
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _keep(self, work: Work) -> None:
        while not self._stopping.is_set():
            try:
                work.run(self._stopping)
            except Exception as error:  # noqa: BLE001  # a fault of ours: the work must go on, and somebody must know
                self._troubles.tell(work.name, error, exc_info=error)
                self._stopping.wait(_PAUSE)
