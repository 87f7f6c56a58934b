"""Prune: texts, calls and jobs leave the log once their retention time is over.

What has no outcome is never touched. Each step is one small transaction with a rest behind it, so that neither the log
writer nor anybody who reads the log waits for it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Connection, Engine, delete, null, select, tuple_, update

from envoi.broadcast.states import BroadcastState
from envoi.errors import EnvoiError
from envoi.log.database import log_errors
from envoi.log.tables import broadcast_recipients as people
from envoi.log.tables import broadcasts, calls, jobs
from envoi.queue.queue import Queue
from scheduler.rounds import UnderLease
from scheduler.troubles import Troubles

BATCH = 500  # rows in one transaction
_REST = 0.2  # seconds between two steps: at most 2,500 rows a second
_IDLE = 60.0  # seconds until the next look, once nothing is left to prune
_UNLOADED = 86_400.0  # seconds that a broadcast is kept whose loading was interrupted: its key may be loaded again
_LEASE = 40.0  # seconds; longer than a step may take (the database's own statement time-out)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Step:
    """What one step did.

    Attributes:
        rows: that it took away, or emptied.
        more: whether there may be more.
    """

    rows: int = 0
    more: bool = False


@dataclass(frozen=True, slots=True)
class Retention:
    """One thing that is kept for a time.

    Attributes:
        what: for the log.
        seconds: how long it is kept.
        step: takes away at most so many rows of what is older than a moment.
    """

    what: str
    seconds: float
    step: Callable[[Connection, datetime, int], Step]


def _texts(connection: Connection, before: datetime, most: int) -> Step:
    """Payloads: what was written to whom. The job's row stays, with its outcome and its message id."""
    old = select(jobs.c.id).where(jobs.c.settled_at < before, jobs.c.payload.is_not(None))
    old = old.order_by(jobs.c.settled_at).limit(most)
    return _step(connection, update(jobs).where(jobs.c.id.in_(old)).values(payload=null()), most)


def _calls(connection: Connection, before: datetime, most: int) -> Step:
    """Calls are numbered as they come to the log: the oldest have the lowest numbers."""
    first = select(calls.c.id, calls.c.started_at).order_by(calls.c.id).limit(most)
    old = [row.id for row in connection.execute(first) if row.started_at < before]
    return _step(connection, delete(calls).where(calls.c.id.in_(old)), most) if old else Step()


def _jobs(connection: Connection, before: datetime, most: int) -> Step:
    """Jobs, with the calls that are left of them.

    Locked first: whoever tells of such a job meanwhile waits, and then begins it anew with its call. A job that is
    being told of now is left for the next time.
    """
    old = select(jobs.c.id).where(jobs.c.enqueued_at < before, jobs.c.settled_at < before)
    old = old.order_by(jobs.c.enqueued_at).limit(most).with_for_update(skip_locked=True)
    ids = list(connection.execute(old).scalars())
    if not ids:
        return Step()
    connection.execute(delete(calls).where(calls.c.job_id.in_(ids)))
    return _step(connection, delete(jobs).where(jobs.c.id.in_(ids)), most)


def _broadcast_texts(connection: Connection, before: datetime, most: int) -> Step:
    """What broadcasts said that have ended."""
    old = select(broadcasts.c.id).where(broadcasts.c.ended_at < before, broadcasts.c.payload.is_not(None)).limit(most)
    return _step(connection, update(broadcasts).where(broadcasts.c.id.in_(old)).values(payload=null()), most)


def _broadcasts(connection: Connection, before: datetime, most: int) -> Step:
    """Broadcasts that have ended: first their recipients, then themselves."""
    return _with_people(connection, broadcasts.c.ended_at < before, most)


def _unloaded(connection: Connection, before: datetime, most: int) -> Step:
    """Broadcasts whose loading came to no end: nobody was ever sent anything of them."""
    loading = broadcasts.c.state == BroadcastState.LOADING
    return _with_people(connection, loading & (broadcasts.c.touched_at < before), most)


def _with_people(connection: Connection, which: ColumnElement[bool], most: int) -> Step:
    """Of the first broadcast that is meant, at most so many recipients; itself too once it has none."""
    wanted = select(broadcasts.c.id).where(which).order_by(broadcasts.c.id).limit(1)
    first = connection.execute(wanted).scalar()
    if first is None:
        return Step()
    mine = people.c.broadcast_id == first
    some = select(people.c.kind, people.c.recipient).where(mine).limit(most)
    gone = _step(connection, delete(people).where(mine, tuple_(people.c.kind, people.c.recipient).in_(some)), most)
    if gone.more:
        return gone
    itself = _step(connection, delete(broadcasts).where(broadcasts.c.id == first, which), 1)
    return Step(gone.rows + itself.rows, itself.more)  # others may be behind it


def _step(connection: Connection, change: Any, most: int) -> Step:  # noqa: ANN401  # an UPDATE or a DELETE
    rows = int(connection.execute(change).rowcount)
    return Step(rows, rows >= most)


class Pruner(UnderLease):
    """Takes away what is over its time. One thread at a time may run it; several processes may.

    Args:
        queue: its Redis holds the lease, and its settings the retention times.
        engine: the log's database.
        troubles: told of outages.
        clock: the present time.
    """

    name = "prune"

    def __init__(
        self,
        queue: Queue,
        engine: Engine,
        troubles: Troubles | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(queue, f"{queue.keys.base}pruner", _LEASE)
        rules = queue.settings
        self._engine = engine.execution_options(sqlite_begin="IMMEDIATE")
        self._troubles = troubles or Troubles()
        self._clock = clock
        self._retentions: Sequence[Retention] = (
            Retention("texts", rules.keep_texts, _texts),
            Retention("calls", rules.keep_calls, _calls),
            Retention("jobs", rules.keep_jobs, _jobs),
            Retention("broadcast_texts", rules.keep_texts, _broadcast_texts),
            Retention("broadcasts", rules.keep_jobs, _broadcasts),
            Retention("unloaded_broadcasts", _UNLOADED, _unloaded),
        )

    def run(self, stop: threading.Event) -> None:
        """Prune until told to stop. An outage is waited for."""
        while not stop.is_set():
            try:
                more = self.turn()
            except EnvoiError as error:
                self._troubles.tell(self.name, error)
                stop.wait(_IDLE)
                continue
            self._troubles.over(self.name)
            stop.wait(_REST if more else _IDLE)
        try:
            self.release()
        except EnvoiError as error:
            self._troubles.tell(self.name, error)

    def turn(self) -> bool:
        """One step: at most a batch of each kind. Returns whether there may be more.

        Raises:
            LogUnavailable, SchemaMissing: the database failed.
            QueueUnavailable: Redis did not answer.
        """
        if not self.hold():
            return False
        steps = {retention.what: self._step(retention) for retention in self._retentions}
        if any(step.rows for step in steps.values()):
            log.info("pruned the log", action="prune", **{what: step.rows for what, step in steps.items()})
        return any(step.more for step in steps.values())

    def _step(self, retention: Retention) -> Step:
        before = datetime.fromtimestamp(self._clock(), UTC) - timedelta(seconds=retention.seconds)
        with log_errors(self._engine), self._engine.begin() as connection:
            return retention.step(connection, before, BATCH)
