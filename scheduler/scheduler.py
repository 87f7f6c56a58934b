"""One scheduler: its duties, its log writer and its settler, however the process around them is run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

import structlog
from sqlalchemy import Engine

from envoi.log.database import open_log
from envoi.log.errors import BadSecretKeys
from envoi.log.pages import PageStore
from envoi.log.secrets import SecretBox
from envoi.queue.connection import connect
from envoi.queue.queue import Queue
from envoi.settings import Settings
from scheduler.due import DueTimes
from scheduler.duties import Duties, Record
from scheduler.epoch import Gate
from scheduler.log_writer import LogWriter
from scheduler.room import Room
from scheduler.settler import HANDS, Settler
from scheduler.troubles import Troubles
from worker.looks import Looks
from worker.tokens import Tokens
from worker.transport import GraphAdapter

_PAUSE = 1.0  # seconds until a log writer or settler that broke is started anew

log = structlog.get_logger()


class Scheduler:
    """Duties, turned by the caller's thread, and the log writer and the settler in threads of their own.

    The log writer waits for SQL and the settler for Graph, the duties must not: so SQL may be down for an hour while
    deliveries go on.

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
        self._adapter = GraphAdapter(HANDS)
        self._stopping = threading.Event()
        self._threads = [self._thread("log_writer", self._log_writer.run)]
        if settings.looks:
            self._with_settler(settings, queue, engine)

    @property
    def records(self) -> Mapping[str, Record]:
        """How each duty fares, by its name."""
        return self._duties.records

    def start(self) -> None:
        """Start the log writer and the settler."""
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
        """End the log writer, so that another scheduler's takes over at once, and the settler. Once is enough.

        A batch that is not committed in time is rolled back by its database and copied again by the next writer; a look
        that has not ended is made again by the next settler.

        Args:
            seconds: how long to wait for the batch under way.
        """
        if self._stopping.is_set():
            return
        self._stopping.set()
        ends = time.monotonic() + seconds
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.0, ends - time.monotonic()))
        self._adapter.close()
        log.info("stopped", action="stop", in_order=not any(thread.is_alive() for thread in self._threads))

    def _with_settler(self, settings: Settings, queue: Queue, engine: Engine) -> None:
        """Looks need the pages' tokens. Without the keys to them nothing is looked into here; another scheduler may."""
        try:
            tokens = Tokens(PageStore(engine, SecretBox(settings.secret_keys)))
        except BadSecretKeys as error:
            log.warning("this scheduler cannot look into conversations", action="settler", error=str(error))
            return
        settler = Settler(queue, Looks(settings, tokens, self._adapter), self._troubles)
        self._threads.append(self._thread("settler", settler.run))

    def _thread(self, part: str, run: Callable[[threading.Event], None]) -> threading.Thread:
        def keep_on() -> None:
            while not self._stopping.is_set():
                try:
                    run(self._stopping)
                except Exception as error:  # noqa: BLE001  # a fault of ours: it must go on, and somebody must know
                    self._troubles.tell(part, type(error).__name__, str(error), exc_info=error)
                    self._stopping.wait(_PAUSE)

        return threading.Thread(target=keep_on, name=f"envoi-{part}", daemon=True)
