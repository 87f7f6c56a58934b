"""One scheduler: its duties and what it does beside them, however the process around them is run."""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from envoi.log.database import open_log
from envoi.queue.connection import connect
from envoi.queue.queue import Queue
from envoi.settings import Settings
from scheduler.background import Background, Work
from scheduler.due import DueTimes
from scheduler.duties import Duties, Record
from scheduler.epoch import Gate
from scheduler.log_writer import LogWriter
from scheduler.prune import Pruner
from scheduler.receipts import ReceiptWriter
from scheduler.room import Room
from scheduler.troubles import Troubles
from scheduler.webhooks import WebhookNotices

log = structlog.get_logger()


class Scheduler:
    """Duties, turned by the caller's thread, and work in threads of its own.

    The log writer, for one, waits for SQL, the duties must not: so SQL may be down for an hour while deliveries go on.

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
        works: list[Work] = [
            LogWriter(queue, engine, troubles=self._troubles),
            WebhookNotices(queue, self._troubles),
            ReceiptWriter(queue, engine, self._troubles),
            Pruner(queue, engine, self._troubles),
        ]
        self._background = Background(works, self._troubles)
        self._stopped = False

    @property
    def records(self) -> Mapping[str, Record]:
        """How each duty fares, by its name."""
        return self._duties.records

    def start(self) -> None:
        """Start what is done beside the duties."""
        self._background.start()

    def turn(self) -> float:
        """Run the duties whose time has come.

        Returns:
            Seconds until the next turn is wanted.

        Raises:
            UnfitRedis: no scheduler may run on this Redis.
        """
        return self._duties.turn()

    def stop(self, seconds: float = 2.0) -> None:
        """End the work beside the duties, so that another scheduler's takes over at once. A second call does nothing.

        A batch that is not committed in time is rolled back by its database and copied again by the next writer.

        Args:
            seconds: how long to wait for what is under way.
        """
        if self._stopped:
            return
        self._stopped = True
        log.info("stopped", action="stop", in_order=self._background.stop(seconds))
