"""Rows of the outbox: written in an app's transaction, looked at and tried again by an operator."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.orm import Session

from envoi.entry import Entry, entry_of, outbox_entry
from envoi.job import Job
from envoi.outbox.table import outbox

USED = "envoi_outbox"  # in `Session.info`: this session has written to the outbox


def send(session: Session | Connection, page: str, recipient: Any, message: Any, **options: Any) -> str:  # noqa: ANN401  # as Envoi.send takes them
    """Send one message if the session's transaction is committed.

    Args:
        session: in a transaction; not committed here. With an ``AsyncSession``:
            ``await session.run_sync(outbox.send, page, recipient, message)``.
        page: the sender's page id.
        recipient: a page-scoped id, or the Send API's own object.
        message: a text, or the Send API's own object.
        options: any other field of :class:`envoi.Job`.

    Returns:
        The job's id, fixed now. Redis knows it once it is relayed.

    Raises:
        InvalidJob: names every field that is wrong, with its limit; nothing was written.
    """
    return _write(session, [outbox_entry(page, recipient, message, **options)])[0]


def send_many(session: Session | Connection, jobs: Iterable[Job]) -> list[str]:
    """Send many jobs, in their order, if the session's transaction is committed. Returns the id of each."""
    return _write(session, [entry_of(job) for job in jobs])


def _write(session: Session | Connection, entries: Sequence[Entry]) -> list[str]:
    if entries:
        session.execute(insert(outbox), [asdict(entry) for entry in entries])
    if isinstance(session, Session):
        session.info[USED] = True
    return [entry.job_id for entry in entries]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row that is not relayed; with an ``error`` it was refused, and waits for an operator."""

    job_id: str
    created_at: datetime
    error: str | None
    refused_at: datetime | None


def waiting(connection: Connection, *, refused: bool = False, limit: int = 100) -> list[Waiting]:
    """The oldest rows that are not relayed.

    Args:
        connection: of the app's database.
        refused: only those that the queue has refused.
        limit: at most so many.
    """
    wanted = select(outbox.c.job_id, outbox.c.created_at, outbox.c.error, outbox.c.refused_at)
    if refused:
        wanted = wanted.where(outbox.c.error.is_not(None))
    rows = connection.execute(wanted.order_by(outbox.c.id).limit(limit)).all()
    return [Waiting(*row) for row in rows]


def retry(connection: Connection, ids: Sequence[str]) -> int:
    """Let refused rows be relayed once more; not committed here. Returns how many there were.

    Args:
        connection: of the app's database.
        ids: of their jobs; empty for all refused ones.
    """
    change = update(outbox).where(outbox.c.error.is_not(None)).values(error=None, refused_at=None)
    if ids:
        change = change.where(outbox.c.job_id.in_(ids))
    return connection.execute(change).rowcount
