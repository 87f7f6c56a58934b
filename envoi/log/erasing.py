"""A person's traces in the log: what names them goes, what is counted stays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, and_, case, delete, literal, null, select, update

from envoi.broadcast.recipients import kept_key
from envoi.broadcast.states import FEEDING, PENDING, REFUSED
from envoi.log.database import log_errors
from envoi.log.tables import REACHED, broadcasts, calls, conversations, holds, jobs, opt_outs
from envoi.log.tables import broadcast_recipients as people
from envoi.standing import Whose

_BATCH = 500  # jobs in one transaction
_NAMING = ("key", "recipient", "payload", "message_id", "recipient_id", "error_message")  # columns of jobs


@dataclass(frozen=True, slots=True)
class Trace:
    """A job of the person; what Redis may still hold of it is found by these."""

    id: str
    key: str | None


class LogErasing:
    """Erases one person of one page.

    Every method raises ``LogUnavailable`` or ``SchemaMissing`` where the database fails. Twice, it changes nothing.

    Args:
        engine: the log's database.
        whose: page and person.
    """

    def __init__(self, engine: Engine, whose: Whose) -> None:
        # A writer of SQLite takes the lock first, so that it follows the log writer and neither fails.
        self._engine = engine.execution_options(sqlite_begin="IMMEDIATE")
        self._whose = whose

    def conversations(self) -> list[Whose]:
        """The person's conversations: the one that is named, and those that reached, says Meta, the same id."""
        found = [self._whose]
        if self._whose.kind == "id":
            wanted = select(jobs.c.recipient_kind, jobs.c.recipient).distinct().where(_reached(self._whose))
            with log_errors(self._engine), self._engine.connect() as connection:
                rows = connection.execute(wanted).all()
            found += [Whose(self._whose.page, kind, key) for kind, key in rows if kind and key]
        return list(dict.fromkeys(found))

    def stop_broadcasts(self) -> int:
        """Nobody enqueues anything more for the person; broadcasts count them by a name that says nothing.

        Returns:
            How many rows.
        """
        whose = self._whose
        of_page = select(broadcasts.c.id).where(broadcasts.c.page_id == whose.page)
        change = (
            update(people)
            .where(
                people.c.broadcast_id.in_(of_page),
                people.c.kind == whose.kind,
                people.c.recipient == kept_key(whose.recipient),
            )
            .values(
                recipient=literal("erased:") + people.c.job_id,
                given=null(),
                error_message=null(),
                cause=case((people.c.state.in_((PENDING, FEEDING)), "erased"), else_=people.c.cause),
                state=case((people.c.state.in_((PENDING, FEEDING)), REFUSED), else_=people.c.state),
            )
        )
        with log_errors(self._engine), self._engine.begin() as connection:
            return connection.execute(change).rowcount

    def jobs_of(self, whose: Whose) -> list[str]:
        """The ids of the jobs of a conversation."""
        with log_errors(self._engine), self._engine.connect() as connection:
            return [id_ for of in _ways_to(whose) for id_ in connection.execute(select(jobs.c.id).where(of)).scalars()]

    def traces(self, whose: Whose) -> Iterator[list[Trace]]:
        """The jobs of a conversation, some hundred at a time. Those that were given are erased before the next."""
        for of in _ways_to(whose):
            yield from self._traces(of)

    def _traces(self, of: ColumnElement[bool]) -> Iterator[list[Trace]]:
        wanted = select(jobs.c.id, jobs.c.key).where(of).limit(_BATCH)
        while True:
            with log_errors(self._engine), self._engine.connect() as connection:
                found = [Trace(row.id, row.key) for row in connection.execute(wanted)]
            if not found:
                return
            yield found
            with log_errors(self._engine), self._engine.begin() as connection:
                _erase_jobs(connection, [trace.id for trace in found])

    def forget(self, whose: Whose) -> None:
        """All that is said of a conversation."""
        with log_errors(self._engine), self._engine.begin() as connection:
            for one in (holds, opt_outs):
                where = (one.c.recipient_kind == whose.kind, one.c.recipient == whose.recipient)
                connection.execute(delete(one).where(one.c.page_id == whose.page, *where))
            if whose.kind == "id":
                where = (conversations.c.page_id == whose.page, conversations.c.recipient == whose.recipient)
                connection.execute(delete(conversations).where(*where))


def _ways_to(whose: Whose) -> list[ColumnElement[bool]]:
    """What tells the jobs of a conversation: how they were named, or whom they reached; an index serves each by itself.

    No job is told by both.
    """
    named = and_(jobs.c.recipient_kind == whose.kind, jobs.c.recipient == whose.recipient)
    of_page = and_(jobs.c.page_id == whose.page, named)
    return [of_page, _reached(whose)] if whose.kind == "id" else [of_page]


def _reached(whose: Whose) -> ColumnElement[bool]:
    return and_(jobs.c.page_id == whose.page, jobs.c.recipient_id == whose.recipient, REACHED)


def _erase_jobs(connection: Connection, ids: list[str]) -> None:
    nothing: dict[str, Any] = dict.fromkeys(_NAMING, null())
    connection.execute(update(jobs).where(jobs.c.id.in_(ids)).values(**nothing))
    nameless: dict[str, Any] = dict.fromkeys(("message_id", "error_message", "fbtrace_id"), null())
    connection.execute(update(calls).where(calls.c.job_id.in_(ids)).values(**nameless))
