"""Broadcasts as an operator sees them: list, report, pause, resume, cancel.

Commands change one row, if it is in a state for it; a scheduler sees that and acts. So each may be said twice, and at
any time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, select, update

from envoi.broadcast.states import BroadcastState
from envoi.errors import BroadcastConflict, UnknownBroadcast
from envoi.log.database import log_errors, opened_log
from envoi.log.tables import broadcast_recipients as people
from envoi.log.tables import broadcasts
from envoi.settings import settings


@dataclass(frozen=True, slots=True)
class Broadcast:
    """A broadcast as the log has it.

    Attributes:
        recipients: people whom it is for; None while they are loaded.
        duplicates: recipients who were named more than once.
        skipped: recipients that were wrong and left out.
        starts_at: nothing is enqueued before; None: at once.
        ended_at: when everyone had an outcome.
    """

    id: str
    key: str | None
    page_id: str
    state: BroadcastState
    recipients: int | None
    duplicates: int | None
    skipped: int | None
    starts_at: datetime | None
    created_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class BroadcastRecipient:
    """One person of a broadcast.

    Attributes:
        recipient: the Send API's own object.
        job_id: of the job that is, or will be, enqueued for this person.
        state: ``pending``, ``feeding``, ``fed``, ``recalled``, ``refused``, or the job's outcome.
        reason: why it was not sent.
    """

    number: int
    recipient: Mapping[str, Any]
    job_id: str
    state: str
    error_code: int | None
    error_subcode: int | None
    reason: str | None


_COLUMNS = [broadcasts.c[name] for name in Broadcast.__dataclass_fields__]


class Broadcasts:
    """All broadcasts in a log.

    Every method raises ``LogUnavailable`` or ``SchemaMissing`` where the database fails.

    Args:
        engine: the log's database.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine.execution_options(sqlite_begin="IMMEDIATE")
        self._reading = engine

    def newest(self, *, page: str | None = None, limit: int = 100) -> list[Broadcast]:
        """The newest broadcasts, newest first."""
        wanted = select(*_COLUMNS).order_by(broadcasts.c.created_at.desc(), broadcasts.c.id.desc()).limit(limit)
        if page is not None:
            wanted = wanted.where(broadcasts.c.page_id == page)
        with log_errors(self._reading), self._reading.connect() as connection:
            return [_broadcast(row) for row in connection.execute(wanted).mappings()]

    def get(self, broadcast_id: str) -> Broadcast:
        """One broadcast.

        Raises:
            UnknownBroadcast: there is none with this id.
        """
        with log_errors(self._reading), self._reading.connect() as connection:
            wanted = select(*_COLUMNS).where(broadcasts.c.id == broadcast_id)
            row = connection.execute(wanted).mappings().first()
        if row is None:
            raise UnknownBroadcast(f"no broadcast {broadcast_id}")
        return _broadcast(row)

    def recipients(
        self, broadcast_id: str, *, state: str | None = None, after: int = 0, limit: int = 1000
    ) -> list[BroadcastRecipient]:
        """People of a broadcast, in the order of its list.

        Args:
            broadcast_id: which.
            state: only those in this state.
            after: only those behind this number.
            limit: at most so many.

        Raises:
            UnknownBroadcast: there is none with this id.
        """
        self.get(broadcast_id)
        wanted = select(people).where(people.c.broadcast_id == broadcast_id, people.c.number > after)
        if state is not None:
            wanted = wanted.where(people.c.state == state)
        with log_errors(self._reading), self._reading.connect() as connection:
            rows = connection.execute(wanted.order_by(people.c.number).limit(limit)).all()
        return [
            BroadcastRecipient(
                row.number,
                row.given or {row.kind: row.recipient},
                row.job_id,
                row.state,
                row.error_code,
                row.error_subcode,
                row.error_message,
            )
            for row in rows
        ]

    def pause(self, broadcast_id: str) -> Broadcast:
        """Enqueue nothing more of it. What is enqueued already goes on: as much as goes out in some 20 seconds.

        Raises:
            BroadcastConflict: it is not running: it has ended, or is being loaded or cancelled.
            UnknownBroadcast: there is none with this id.
        """
        return self._move(broadcast_id, {BroadcastState.RUNNING}, BroadcastState.PAUSED)

    def resume(self, broadcast_id: str) -> Broadcast:
        """Let a paused one go on. Raises as :meth:`pause` does."""
        return self._move(broadcast_id, {BroadcastState.PAUSED}, BroadcastState.RUNNING)

    def cancel(self, broadcast_id: str) -> Broadcast:
        """End it: a scheduler takes back what is enqueued and not begun, and enqueues nothing more.

        Raises:
            BroadcastConflict: everyone has an outcome already.
            UnknownBroadcast: there is none with this id.
        """
        before = {BroadcastState.LOADING, BroadcastState.RUNNING, BroadcastState.PAUSED}
        return self._move(broadcast_id, before, BroadcastState.CANCELLING, also={BroadcastState.CANCELLED})

    def _move(
        self,
        broadcast_id: str,
        before: Collection[BroadcastState],
        to: BroadcastState,
        *,
        also: Collection[BroadcastState] = (),
    ) -> Broadcast:
        """Change its state from one of ``before``; in ``to`` and ``also`` it may be already."""
        change = update(broadcasts).where(broadcasts.c.id == broadcast_id, broadcasts.c.state.in_(before))
        with log_errors(self.engine), self.engine.begin() as connection:
            connection.execute(change.values(state=to.value, touched_at=datetime.now(UTC)))
        found = self.get(broadcast_id)
        if found.state is not to and found.state not in also:
            raise BroadcastConflict(f"broadcast {broadcast_id} is {found.state}: it cannot become {to}")
        return found


@contextmanager
def open_broadcasts(database_url: str | None = None) -> Iterator[Broadcasts]:
    """The broadcasts of a log, closed at the end.

    Args:
        database_url: where the log is; without it ``ENVOI_DATABASE_URL`` is read.

    Raises:
        BadSettings, LogError: an address or a setting is malformed, or there is no such log.
    """
    with opened_log(database_url or settings().database_url) as engine:
        yield Broadcasts(engine)


def _broadcast(row: Any) -> Broadcast:  # noqa: ANN401  # SQLAlchemy's row of any columns
    return Broadcast(**{**row, "state": BroadcastState(row["state"])})
