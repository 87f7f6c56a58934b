"""One scheduler: its duties and its threads, however the process around them is run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

import structlog

from envoi.log.database import open_log
from envoi.queue.connection import connect
from envoi.queue.queue import Queue
from envoi.settings import Settings
from scheduler.due import DueTimes
from scheduler.duties import Duties, Record
from scheduler.epoch import Gate
from scheduler.log_writer import LogWriter
from scheduler.outcomes import OutcomePublisher
from scheduler.room import Room
from scheduler.task_broker import TaskBroker
from scheduler.troubles import Troubles

_PAUSE = 1.0  # seconds until a thread's work that broke is started anew

log = structlog.get_logger()


class Scheduler:
    """Duties, turned by the caller's thread; the log writer and the publisher of outcomes, each in a thread of its own.

    The log writer waits for SQL and the publisher for the app's broker; the duties must not: so SQL may be down for an
    hour while deliveries go on.

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
        self._duties = Duties([self._gate, DueTimes(queue, self._gate), Room(queue)], self._troubles)
        log_writer = LogWriter(queue, engine, troubles=self._troubles)
        broker = TaskBroker(settings.outcome_broker_url or settings.redis_url)
        publisher = OutcomePublisher(queue, broker, self._troubles)
        self._stopping = threading.Event()
        self._threads = [self._thread("log_writer", log_writer.run), self._thread("outcomes", publisher.run)]

    @property
    def records(self) -> Mapping[str, Record]:
        """How each duty fares, by its name."""
        return self._duties.records

    def start(self) -> None:
        """Start the log writer and the publisher of outcomes."""
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
        """End both threads, so that another scheduler's take over at once. A second call does nothing.

        A batch that is not committed in time is rolled back by its database and copied again by the next writer.

        Args:
            seconds: how long to wait for the batches under way.
        """
        if self._stopping.is_set():
            return
        self._stopping.set()
        until = time.monotonic() + seconds
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.0, until - time.monotonic()))
        log.info("stopped", action="stop", in_order=not any(thread.is_alive() for thread in self._threads))

    def _thread(self, part: str, run: Callable[[threading.Event], None]) -> threading.Thread:
        return threading.Thread(target=self._keep, args=(part, run), name=f"envoi-{part}", daemon=True)

    def _keep(self, part: str, run: Callable[[threading.Event], None]) -> None:
        while not self._stopping.is_set():
            try:
                run(self._stopping)
            except Exception as error:  # noqa: BLE001  # a fault of ours: it must go on, and somebody must know
                self._troubles.tell(part, type(error).__name__, str(error), exc_info=error)
                self._stopping.wait(_PAUSE)
