"""One scheduler: its duties and its threads, however the process around them is run."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Protocol

import structlog

from envoi.log.database import open_log
from envoi.queue.connection import connect
from envoi.queue.queue import Queue
from envoi.settings import Settings
from scheduler.due import DueTimes
from scheduler.duties import Duties, Duty, Record
from scheduler.epoch import Gate
from scheduler.log_writer import LogWriter
from scheduler.receipts import ReceiptWriter
from scheduler.room import Room
from scheduler.troubles import Troubles
from scheduler.webhooks import WebhookNotices

_PAUSE = 1.0  # seconds until a thread's work that broke is started anew

log = structlog.get_logger()


class Runner(Protocol):
    """Work in a thread of its own."""

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop."""


class Scheduler:
    """Duties, turned by the caller's thread; the log writer and what webhooks bring, in threads of their own.

    The writers wait for SQL, the duties must not: so SQL may be down for an hour while deliveries go on.

    Args:
        settings: where Redis and the log are, and all times.

    Raises:
        LogError: the log's address is malformed.
    """

    def __init__(self, settings: Settings) -> None:
        engine = open_log(settings.database_url)
        queue = Queue(connect(settings.redis_url), settings)
        self._troubles = Troubles()
        self._gate = Gate(queue, engine)
        duties: list[Duty] = [self._gate, DueTimes(queue, self._gate), Room(queue)]
        self._duties = Duties(duties, self._troubles)
        self._stopping = threading.Event()
        runners: dict[str, Runner] = {
            "log_writer": LogWriter(queue, engine, troubles=self._troubles),
            "webhooks": WebhookNotices(queue, self._troubles),
            "receipts": ReceiptWriter(queue, engine, troubles=self._troubles),
        }
        self._threads = [
            threading.Thread(target=self._run, args=(name, runner), name=f"envoi-{name}", daemon=True)
            for name, runner in runners.items()
        ]

    @property
    def records(self) -> Mapping[str, Record]:
        """How each duty fares, by its name."""
        return self._duties.records

    def start(self) -> None:
        """Start what has a thread of its own."""
        for thread in self._threads:
            thread.start()

    def turn(self) -> float:
        """Run the duties whose time has come.

        Returns:
            Seconds until the next turn is wanted.

        Raises:
            UnfitRedis: no scheduler may run on this Redis.
        """
        return self._duties.turn()

    def stop(self, seconds: float = 2.0) -> None:
        """End what has a thread of its own, so that another scheduler's takes over at once. A second call does nothing.

        A batch that is not committed in time is rolled back by its database and copied again by the next writer.

        Args:
            seconds: how long to wait for the batch under way.
        """
        if self._stopping.is_set():
            return
        self._stopping.set()
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.0, deadline - time.monotonic()))
        in_order = not any(thread.is_alive() for thread in self._threads)
        log.info("stopped", action="stop", in_order=in_order)

    def _run(self, name: str, runner: Runner) -> None:
        while not self._stopping.is_set():
            try:
                runner.run(self._stopping)
            except Exception as error:  # noqa: BLE001  # a fault of ours: the log must go on, and somebody must know
                self._troubles.tell(name, type(error).__name__, str(error), exc_info=error)
                self._stopping.wait(_PAUSE)
