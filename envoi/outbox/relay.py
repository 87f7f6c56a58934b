"""The relay: enqueues what the app has committed, in the order of the rows, and deletes what Redis has taken.

A row is deleted after Redis took its job. A relay that dies between the two leaves the row; the next one enqueues it
again under the same job id, which enqueues nothing a second time while Redis knows the job: until ``ENVOI_STATUS_TTL``
after its outcome. One relay works at a time, so the order holds: transactions that follow each other keep theirs, and
of those that overlap each goes when it is committed. A row that the queue refuses says why, and stops nothing.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, delete, event, exists, false, func, select, update
from sqlalchemy.orm import Session

from envoi.client import open_queue
from envoi.errors import EnvoiError, InvalidJob, QueueFull, QueueUnavailable, Recovering
from envoi.job import Job
from envoi.outbox.database import database_errors, open_outbox
from envoi.outbox.rows import USED
from envoi.outbox.table import outbox
from envoi.queue.connection import translated
from envoi.queue.queue import Queue

BATCH = 200  # rows in one transaction: bounds how long SQLite's one write lock is held
PERIOD = 1.0  # seconds between two looks at an empty outbox that nobody woke us for
_PAUSE_FIRST, _PAUSE_CAP = 0.25, 10.0
_LOCK = 0x656E766F69_6F62  # "envoiob": one relay at a time in a PostgreSQL database

log = logging.getLogger("envoi.outbox")


class Relay:
    """Relays one outbox to one queue. Threads and processes may have several: one of them works at a time.

    Args:
        engine: of the app's database.
        queue: where jobs go; the one of ``ENVOI_REDIS_URL`` if not given.
    """

    def __init__(self, engine: Engine, queue: Queue | None = None) -> None:
        self._engine = engine
        self._queue = queue or open_queue()
        self._woken = threading.Event()
        self._trouble: str | None = None

    def turn(self) -> int:
        """Relay at most one batch.

        Returns:
            How many rows were relayed or refused; 0 too while another relay works.

        Raises:
            OutboxUnavailable: the app's database failed; what it may not have deleted is relayed again, once.
            QueueFull, QueueUnavailable, Recovering: the rows wait.
        """
        with database_errors(self._engine):
            with self._engine.connect() as connection:
                if not connection.execute(select(exists().where(outbox.c.error.is_(None)))).scalar_one():
                    return 0
            with translated():
                self._queue.redis.ping()  # a Redis that is away must not be waited for under the database's lock
            with self._engine.begin() as connection:
                return self._relay(connection) if _locked(connection) else 0

    def run(self, stop: threading.Event) -> None:
        """Relay until told to stop (and woken). An outage is waited for, and logged when it begins and ends."""
        pause = _PAUSE_FIRST
        while not stop.is_set():
            self._woken.clear()
            try:
                relayed = self.turn()
            except EnvoiError as error:
                self._tell(f"{type(error).__name__}: {error}")
                stop.wait(pause)
                pause = min(2 * pause, _PAUSE_CAP)
                continue
            pause = _PAUSE_FIRST
            self._tell(None)
            if not relayed:
                self._woken.wait(PERIOD)

    def wake(self) -> None:
        """There may be something to relay, or a reason to stop."""
        self._woken.set()

    def _relay(self, connection: Connection) -> int:
        wanted = select(outbox.c.id, outbox.c.job_id, outbox.c.job).where(outbox.c.error.is_(None))
        rows = connection.execute(wanted.order_by(outbox.c.id).limit(BATCH)).all()
        jobs: list[tuple[int, str, Job]] = []
        refused: dict[int, str] = {}
        for row in rows:
            try:
                jobs.append((row.id, row.job_id, Job.load(row.job)))
            except (InvalidJob, ValueError, KeyError, TypeError, AttributeError) as error:
                refused[row.id] = str(error) if isinstance(error, InvalidJob) else "not a job"
        refused |= self._enqueued(jobs)
        taken = [number for number, _, _ in jobs if number not in refused]
        if taken:
            connection.execute(delete(outbox).where(outbox.c.id.in_(taken)))
        for number, why in refused.items():
            log.error("refused: row %s of envoi_outbox: %s", number, why)
            now = datetime.now(UTC)
            connection.execute(update(outbox).where(outbox.c.id == number).values(error=why, refused_at=now))
        return len(rows)

    def _enqueued(self, jobs: Sequence[tuple[int, str, Job]]) -> dict[int, str]:
        """Enqueue all at once; where one is refused, one by one. Returns why rows were refused."""
        if not jobs:
            return {}
        try:
            self._queue.enqueue([job for _, _, job in jobs], [job_id for _, job_id, _ in jobs])
        except (QueueFull, QueueUnavailable, Recovering):
            raise
        except EnvoiError as error:
            if len(jobs) == 1:
                return {jobs[0][0]: f"{type(error).__name__}: {error}"}
            found: dict[int, str] = {}
            for job in jobs:
                found |= self._enqueued([job])
            return found
        return {}

    def _tell(self, trouble: str | None) -> None:
        if trouble and trouble != self._trouble:
            log.warning("rows wait: %s", trouble)
        elif self._trouble and not trouble:
            log.info("relaying again")
        self._trouble = trouble


@contextmanager
def open_relay(database_url: str | None = None, redis_url: str | None = None) -> Iterator[Relay]:
    """A relay with connections of its own, closed at the end.

    Args:
        database_url: the app's database, as SQLAlchemy takes it; without it ``ENVOI_OUTBOX_DATABASE_URL`` is read.
        redis_url: where the queue is; without it ``ENVOI_REDIS_URL`` is read.

    Raises:
        BadSettings: an address is missing or malformed.
    """
    engine = open_outbox(database_url)
    queue = open_queue(redis_url)
    try:
        yield Relay(engine, queue)
    finally:
        queue.redis.close()
        engine.dispose()


def relay_after_commit(sessions: Any, relay: Relay) -> None:  # noqa: ANN401  # whatever SQLAlchemy's session events take
    """Wake a relay of this process (its :meth:`Relay.run` in a thread) when a session that used the outbox commits.

    Args:
        sessions: a ``sessionmaker``, or a subclass of ``Session``.
        relay: is woken at once instead of within a second.
    """

    def committed(session: Session) -> None:
        if session.info.get(USED):
            relay.wake()

    event.listen(sessions, "after_commit", committed)


def _locked(connection: Connection) -> bool:
    """Whether this transaction is the one that relays."""
    if connection.dialect.name == "postgresql":
        return bool(connection.execute(select(func.pg_try_advisory_xact_lock(_LOCK))).scalar_one())
    # A write, though of no row: SQLite takes its one write lock, or waits for it.
    connection.execute(update(outbox).where(false()).values(error=None))
    return True
