"""One scheduler: its duties and its log writer, however the process around them is run."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import structlog

from envoi.log.database import open_log
from envoi.queue.connection import connect
from envoi.queue.queue import Queue
from envoi.settings import Settings
from scheduler.due import DueTimes
from scheduler.duties import Duties, Record
from scheduler.epoch import Gate
from scheduler.log_writer import LogWriter
from scheduler.room import Room
from scheduler.troubles import Troubles

_PAUSE = 1.0  # seconds until a log writer that broke is started anew

log = structlog.get_logger()


class Scheduler:
    """Duties, turned by the caller's thread, and the log writer in a thread of its own.

    The log writer waits for SQL, the duties must not: so SQL may be down for an hour while deliveries go on.

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
        self._log_writer = LogWriter(queue, engine, troubles=self._troubles)
        self._stopping = threading.Event()
        self._writing = threading.Thread(target=self._write, name="envoi-log", daemon=True)

    @property
    def records(self) -> Mapping[str, Record]:
        """How each duty fares, by its name."""
        return self._duties.records

    def start(self) -> None:
        """Start the log writer."""
        self._writing.start()

    def turn(self) -> float:
        """Run the duties whose time has come.

        Returns:
            Seconds until the next turn is wanted.

        Raises:
            UnfitRedis: no scheduler may run on this Redis.
        """
        return self._duties.turn()

    def stop(self, seconds: float = 2.0) -> None:
        """End the log writer, so that another scheduler's takes over at once. A second call does nothing.

        A batch that is not committed in time is rolled back by its database and copied again by the next writer.

        Args:
            seconds: how long to wait for the batch under way.
        """
        if self._stopping.is_set():
            return
        self._stopping.set()
        if self._writing.is_alive():
            self._writing.join(seconds)
        log.info("stopped", action="stop", in_order=not self._writing.is_alive())

    def _write(self) -> None:
        while not self._stopping.is_set():
            try:
                self._log_writer.run(self._stopping)
            except Exception as error:  # noqa: BLE001  # a fault of ours: the log must go on, and somebody must know
                self._troubles.tell("log_writer", type(error).__name__, str(error), exc_info=error)
                self._stopping.wait(_PAUSE)
