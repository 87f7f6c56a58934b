"""The backlog: jobs without outcome in the log, and jobs that settled lately, read in a stream of bounded memory."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Result, Select, func, select, text

from envoi.log import tables
from envoi.log.database import log_errors
from envoi.queue.keys import conversation_of
from envoi.recovery.heads import BEHIND, ENTERED, FINAL, OPEN, Head, select_heads
from envoi.recovery.stored import StoredJob
from envoi.states import State

BATCH = 500  # rows held at once

_jobs = tables.jobs
_STORED = [
    _jobs.c.page_id.label("page") if name == "page" else _jobs.c.recipient_kind.label("kind") if name == "kind"
    else _jobs.c[name]
    for name in StoredJob.__dataclass_fields__
]  # fmt: skip  # one column a line says less


class Backlog:
    """What a recovery reads.

    Every method raises ``LogUnavailable`` or ``SchemaMissing`` where the database fails.

    Args:
        engine: the log's database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def count(self) -> int:
        """How many jobs have no outcome."""
        with log_errors(self._engine), self._engine.connect() as connection:
            return connection.execute(select(func.count()).where(_jobs.c.state.in_(OPEN))).scalar_one()

    def newest(self) -> datetime | None:
        """When the newest job was enqueued: the log is complete at least up to that."""
        with log_errors(self._engine), self._engine.connect() as connection:
            found: datetime | None = connection.execute(select(func.max(_jobs.c.enqueued_at))).scalar_one()
        return found

    def open_jobs(self) -> Generator[StoredJob]:
        """Every job without outcome, each line in its order: first what is known to be a head, then by entering."""
        wanted = select(*_STORED).where(_jobs.c.state.in_(OPEN)).order_by(BEHIND, ENTERED, _jobs.c.id)
        return self._stored(wanted)

    def open_before(self, before: datetime) -> Generator[StoredJob]:
        """Every job without outcome that was enqueued before then, the oldest first."""
        wanted = select(*_STORED).where(_jobs.c.state.in_(OPEN), _jobs.c.enqueued_at < before)
        return self._stored(wanted.order_by(_jobs.c.enqueued_at, _jobs.c.id))

    def still_open(self, ids: Sequence[str]) -> list[StoredJob]:
        """Those of some hundred jobs that have no outcome now, the oldest first."""
        if not ids:
            return []
        wanted = select(*_STORED).where(_jobs.c.state.in_(OPEN), _jobs.c.id.in_(ids))
        return list(self._stored(wanted.order_by(_jobs.c.enqueued_at, _jobs.c.id)))

    def settled_since(self, since: datetime) -> Generator[StoredJob]:
        """Every job that had its outcome since then."""
        return self._stored(select(*_STORED).where(_jobs.c.state.in_(FINAL), _jobs.c.settled_at > since))

    def heard_since(self, since: datetime) -> Generator[tuple[str, float]]:
        """Every person who was heard of since then: the conversation, and when, seconds since the epoch."""
        people = tables.conversations
        with self._streamed(select(people).where(people.c.last_inbound_at > since)) as rows:
            for row in rows:
                yield conversation_of(row.page_id, "id", row.recipient), row.last_inbound_at.timestamp()

    def sent_but_open(self) -> list[tuple[str, str, str | None]]:
        """Jobs that a fact came of after the wipe: id, message id, recipient id. As many as were in flight."""
        wanted = select(_jobs.c.id, _jobs.c.message_id, _jobs.c.recipient_id).where(
            _jobs.c.state.in_(OPEN), _jobs.c.message_id.is_not(None)
        )
        with log_errors(self._engine), self._engine.connect() as connection:
            return [(row.id, row.message_id, row.recipient_id) for row in connection.execute(wanted)]

    def heads(self, horizon: datetime) -> Generator[Head]:
        """The head of every line.

        Args:
            horizon: scheduled jobs whose time is later are in no line.
        """
        with self._streamed(select_heads(horizon)) as rows:
            for row in rows.mappings():
                yield Head(**{**row, "state": State(row["state"])})

    def _stored(self, wanted: Select[Any]) -> Generator[StoredJob]:
        with self._streamed(wanted) as rows:
            for row in rows.mappings():
                yield StoredJob(**{**row, "state": State(row["state"])})

    @contextmanager
    def _streamed(self, wanted: Select[Any]) -> Iterator[Result[Any]]:
        with log_errors(self._engine), self._engine.connect() as connection:
            _unhurried(connection)
            streaming = connection.execution_options(stream_results=True, yield_per=BATCH)
            with streaming.execute(wanted) as rows:
                yield rows


def _unhurried(connection: Connection) -> None:
    """Sorting a million rows may take longer than a statement of every day."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
