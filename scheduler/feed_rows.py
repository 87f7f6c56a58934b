"""The feeder's side of the tables ``broadcasts`` and ``broadcast_recipients``: small transactions, each by an index.

A recipient's row says ``feeding`` before its job is enqueued, and ``fed`` after. What stands at ``feeding`` is enqueued
again, under the same job id, or known to be; what stands at ``pending`` never was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Row, Select, exists, func, select, update

from envoi.broadcast.states import FED, FEEDING, OPEN, OUTCOMES, PENDING, RECALLED, REFUSED, BroadcastState
from envoi.log.database import log_errors
from envoi.log.tables import broadcast_recipients as people
from envoi.log.tables import broadcasts, jobs
from envoi.states import State
from scheduler.fed import Active, Fed, Refused

ACTIVE = (BroadcastState.RUNNING.value, BroadcastState.PAUSED.value, BroadcastState.CANCELLING.value)
_COPIED = ("error_code", "error_subcode", "error_message")


class FeedRows:
    """What a feeder reads and writes.

    Every method raises ``LogUnavailable`` or ``SchemaMissing`` where the database fails.

    Args:
        engine: the log's database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        # A writer of SQLite takes the lock first, so that two follow each other and none fails.
        self._writing = engine.execution_options(sqlite_begin="IMMEDIATE")

    def active(self, after: str, limit: int) -> list[Active]:
        """Broadcasts that have not ended, by their ids."""
        names = ("id", "page_id", "state", "payload", "starts_at")
        wanted = select(*(broadcasts.c[name] for name in names))
        wanted = wanted.where(broadcasts.c.state.in_(ACTIVE), broadcasts.c.id > after)
        found = self._read(wanted.order_by(broadcasts.c.id).limit(limit))
        return [Active(row.id, row.page_id, BroadcastState(row.state), row.payload, row.starts_at) for row in found]

    def running(self, page: str) -> int:
        """How many broadcasts run on a page."""
        mine = (broadcasts.c.state == BroadcastState.RUNNING, broadcasts.c.page_id == page)
        return int(self._read(select(func.count()).select_from(broadcasts).where(*mine))[0][0])

    def enqueued(self, broadcast_id: str, at_most: int) -> int:
        """How many are enqueued without outcome; counted no further than ``at_most``."""
        some = select(people.c.number).where(_of(broadcast_id, FEEDING, FED, RECALLED)).limit(at_most).subquery()
        return int(self._read(select(func.count()).select_from(some))[0][0])

    def mean_to_feed(self, broadcast_id: str, limit: int, fed_at: float, memory: str) -> list[Fed]:
        """Write down that the next recipients will be enqueued, if the broadcast runs. Returns them."""
        left = select(people.c.number).where(_of(broadcast_id, PENDING)).order_by(people.c.number).limit(limit)
        at = datetime.fromtimestamp(fed_at, UTC)
        with log_errors(self._writing), self._writing.begin() as connection:
            if not _locked(connection, broadcast_id, BroadcastState.RUNNING):
                return []
            numbers = list(connection.execute(left).scalars())
            change = update(people).where(_of(broadcast_id, PENDING), people.c.number.in_(numbers))
            connection.execute(change.values(state=FEEDING, fed_at=at, memory=memory))
            rows = connection.execute(_fed(broadcast_id, people.c.number.in_(numbers), FEEDING)).all()
        return [_row(row) for row in rows]

    def feeding(self, broadcast_id: str, limit: int) -> list[Fed]:
        """Those that may be enqueued or not: whoever fed them did not come to its end."""
        return [_row(row) for row in self._read(_fed(broadcast_id, None, FEEDING).limit(limit))]

    def unlogged(self, broadcast_id: str, before: float, after: int, limit: int) -> list[Fed]:
        """Those enqueued before a moment whose jobs the log does not know, behind a number."""
        old = (people.c.fed_at < datetime.fromtimestamp(before, UTC), people.c.number > after, jobs.c.id.is_(None))
        wanted = _fed(broadcast_id, None, FED, RECALLED).where(*old)
        return [_row(row) for row in self._read(wanted.limit(limit))]

    def open(self, broadcast_id: str, limit: int, *states: str) -> list[tuple[int, str]]:
        """Numbers and job ids of recipients in some states, in their order."""
        wanted = select(people.c.number, people.c.job_id).where(_of(broadcast_id, *states))
        return [(row[0], row[1]) for row in self._read(wanted.order_by(people.c.number).limit(limit))]

    def confirm(self, broadcast_id: str, fed: Mapping[int, str], refused: Sequence[Refused], fed_at: float) -> None:
        """The queue has taken some, and refused others.

        Args:
            broadcast_id: which.
            fed: job ids by number; another than before where the queue knew the job's key.
            refused: why, of the others.
            fed_at: when that was over, seconds since the epoch by Redis's clock.
        """
        at = datetime.fromtimestamp(fed_at, UTC)
        with log_errors(self._writing), self._writing.begin() as connection:
            mine = (_of(broadcast_id, FEEDING), people.c.number.in_(list(fed)))
            connection.execute(update(people).where(*mine).values(state=FED, fed_at=at))
            held = select(people.c.number, people.c.job_id).where(
                people.c.broadcast_id == broadcast_id, people.c.state == FED, people.c.number.in_(list(fed))
            )
            for number, job_id in connection.execute(held).all():
                if fed[number] != job_id:
                    self._set(connection, broadcast_id, number, FED, job_id=fed[number])
            for one in refused:
                values = {"state": REFUSED, "cause": one.cause, "error_message": one.message, "memory": None}
                self._set(connection, broadcast_id, one.number, FEEDING, **values)

    def move(self, broadcast_id: str, numbers: Sequence[int], before: Sequence[str], to: str, **values: object) -> None:
        """Change the state of some recipients that are in one of ``before``."""
        if numbers:
            mine = (_of(broadcast_id, *before), people.c.number.in_(numbers))
            with log_errors(self._writing), self._writing.begin() as connection:
                connection.execute(update(people).where(*mine).values(state=to, **values))

    def settle(self, broadcast_id: str, after: int, limit: int) -> tuple[int, int]:
        """Learn from the log how jobs ended, of at most ``limit`` recipients behind a number.

        Returns:
            How many have their outcome now, and the number to go on from; 0: from the beginning.
        """
        held = (_of(broadcast_id, FED, RECALLED, FEEDING), people.c.number > after)
        wanted = select(people.c.number, jobs.c.state).join(jobs, jobs.c.id == people.c.job_id, isouter=True)
        rows = self._read(wanted.where(*held).order_by(people.c.number).limit(limit))
        ended = [number for number, state in rows if state in OUTCOMES]
        if ended:
            change = update(people).where(_of(broadcast_id, FED, RECALLED, FEEDING), people.c.number.in_(ended))
            change = change.where(jobs.c.id == people.c.job_id, jobs.c.state.in_(OUTCOMES))
            copied = {name: jobs.c[name] for name in _COPIED}
            with log_errors(self._writing), self._writing.begin() as connection:
                connection.execute(change.values(state=jobs.c.state, memory=None, **copied))
        return len(ended), rows[-1][0] if len(rows) == limit else 0

    def end_pending(self, broadcast_id: str, outcome: State, limit: int, state: BroadcastState) -> int:
        """Give recipients that were never enqueued an outcome, if the broadcast is in a state. Returns how many."""
        left = select(people.c.number).where(_of(broadcast_id, PENDING)).order_by(people.c.number).limit(limit)
        with log_errors(self._writing), self._writing.begin() as connection:
            if not _locked(connection, broadcast_id, state):
                return 0
            numbers = list(connection.execute(left).scalars())
            change = update(people).where(_of(broadcast_id, PENDING), people.c.number.in_(numbers))
            return int(connection.execute(change.values(state=outcome.value)).rowcount)

    def end(self, broadcast_id: str, now: float) -> bool:
        """End a broadcast all of whose people have an outcome. Returns whether this ended it."""
        left = exists().where(_of(broadcast_id, *OPEN))
        at = datetime.fromtimestamp(now, UTC)
        with log_errors(self._writing), self._writing.begin() as connection:
            for before, after in (
                (BroadcastState.CANCELLING, BroadcastState.CANCELLED),
                (BroadcastState.RUNNING, BroadcastState.FINISHED),
                (BroadcastState.PAUSED, BroadcastState.FINISHED),
            ):
                mine = (broadcasts.c.id == broadcast_id, broadcasts.c.state == before, ~left)
                change = update(broadcasts).where(*mine).values(state=after.value, ended_at=at, touched_at=at)
                if connection.execute(change).rowcount:
                    return True
        return False

    def _read(self, wanted: Select[Any]) -> Sequence[Row[*tuple[Any, ...]]]:
        with log_errors(self._engine), self._engine.connect() as connection:
            return connection.execute(wanted).all()

    def _set(self, connection: Connection, broadcast_id: str, number: int, before: str, **values: object) -> None:
        mine = (_of(broadcast_id, before), people.c.number == number)
        connection.execute(update(people).where(*mine).values(**values))


def _of(broadcast_id: str, *states: str) -> ColumnElement[bool]:
    return (people.c.broadcast_id == broadcast_id) & people.c.state.in_(states)


def _locked(connection: Connection, broadcast_id: str, state: BroadcastState) -> bool:
    """Whether the broadcast is in a state; it stays so until the transaction's end."""
    wanted = select(broadcasts.c.id).where(broadcasts.c.id == broadcast_id, broadcasts.c.state == state)
    return connection.execute(wanted.with_for_update()).first() is not None


def _fed(broadcast_id: str, which: ColumnElement[bool] | None, *states: str) -> Select[Any]:
    columns = (people.c.number, people.c.job_id, people.c.state, people.c.kind, people.c.recipient, people.c.given)
    wanted = select(*columns, people.c.fed_at, people.c.memory, jobs.c.id.label("logged"))
    wanted = wanted.join(jobs, jobs.c.id == people.c.job_id, isouter=True).where(_of(broadcast_id, *states))
    return (wanted if which is None else wanted.where(which)).order_by(people.c.number)


def _row(row: Row[*tuple[Any, ...]]) -> Fed:
    recipient = row.given or {row.kind: row.recipient}
    return Fed(row.number, row.job_id, row.state, recipient, row.fed_at, row.memory, row.logged is not None)
