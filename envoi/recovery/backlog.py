"""The backlog: jobs without outcome in the log, and jobs that settled lately, read in a stream of bounded memory."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Result,
    Select,
    and_,
    case,
    exists,
    false,
    func,
    or_,
    select,
    text,
)

from envoi.log import tables
from envoi.log.database import log_errors
from envoi.queue.keys import conversation_of
from envoi.recovery.stored import StoredJob
from envoi.states import State

BATCH = 500  # rows held at once

_jobs = tables.jobs
_OPEN = [state.value for state in State if not state.final]
_FINAL = [state.value for state in State if state.final]
_HEADS = [State.SENDING.value, State.SETTLING.value, State.RETRYING.value]  # only heads of lines are in these states

# When it entered its line, or will enter it: the order of a line.
_ENTERED: ColumnElement[datetime] = case(
    (and_(_jobs.c.state.in_(["queued", "scheduled"]), _jobs.c.due_at.is_not(None)), _jobs.c.due_at),
    else_=_jobs.c.enqueued_at,
)
_BEHIND: ColumnElement[int] = case((or_(_jobs.c.attempts > 0, _jobs.c.state.in_(_HEADS)), 0), else_=1)
_MESSAGE = _jobs.c.payload["message"]
_MEDIA: ColumnElement[bool] = func.coalesce(  # as envoi/pace.py
    _MESSAGE["attachment"]["type"].as_string().in_(["audio", "file", "image", "video"])
    | _MESSAGE["attachments"].as_string().is_not(None),
    false(),
)
_STORED = [
    _jobs.c.page_id.label("page") if name == "page" else _jobs.c.recipient_kind.label("kind") if name == "kind"
    else _jobs.c[name]
    for name in StoredJob.__dataclass_fields__
]  # fmt: skip  # one column a line says less


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a line, as far as the log knows, and since when its conversation has waited.

    Attributes:
        media: whether it carries media.
        first_reply: when the first reply of the line entered; None: all of it is bulk.
        moved: when the job before it had its outcome; None: nothing is known of one.
        moved_perhaps: the same, were a job cancelled before its turn the head then.
        expires_at: a claim passes it by afterwards.
        replanned: whether another job of the line has, or had, a time of its own: it may have left the line for it.
    """

    page: str
    kind: str
    recipient: str
    state: State
    attempts: int
    entered: datetime
    due_at: datetime | None
    media: bool
    first_reply: datetime | None
    moved: datetime | None
    moved_perhaps: datetime | None
    expires_at: datetime | None
    replanned: bool


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
            return connection.execute(select(func.count()).where(_jobs.c.state.in_(_OPEN))).scalar_one()

    def newest(self) -> datetime | None:
        """When the newest job was enqueued: the log is complete at least up to that."""
        with log_errors(self._engine), self._engine.connect() as connection:
            found: datetime | None = connection.execute(select(func.max(_jobs.c.enqueued_at))).scalar_one()
        return found

    def open_jobs(self) -> Generator[StoredJob]:
        """Every job without outcome, each line in its order: first what is known to be a head, then by entering."""
        wanted = select(*_STORED).where(_jobs.c.state.in_(_OPEN)).order_by(_BEHIND, _ENTERED, _jobs.c.id)
        return self._stored(wanted)

    def open_before(self, before: datetime) -> Generator[StoredJob]:
        """Every job without outcome that was enqueued before then, the oldest first."""
        wanted = select(*_STORED).where(_jobs.c.state.in_(_OPEN), _jobs.c.enqueued_at < before)
        return self._stored(wanted.order_by(_jobs.c.enqueued_at, _jobs.c.id))

    def still_open(self, ids: Sequence[str]) -> list[StoredJob]:
        """Those of some hundred jobs that have no outcome now, the oldest first."""
        if not ids:
            return []
        wanted = select(*_STORED).where(_jobs.c.state.in_(_OPEN), _jobs.c.id.in_(ids))
        return list(self._stored(wanted.order_by(_jobs.c.enqueued_at, _jobs.c.id)))

    def settled_since(self, since: datetime) -> Generator[StoredJob]:
        """Every job that had its outcome since then."""
        return self._stored(select(*_STORED).where(_jobs.c.state.in_(_FINAL), _jobs.c.settled_at > since))

    def heard_since(self, since: datetime) -> Generator[tuple[str, float]]:
        """Every person who was heard of since then: the conversation, and when, seconds since the epoch."""
        people = tables.conversations
        with self._streamed(select(people).where(people.c.last_inbound_at > since)) as rows:
            for row in rows:
                yield conversation_of(row.page_id, "id", row.recipient), row.last_inbound_at.timestamp()

    def sent_but_open(self) -> list[tuple[str, str, str | None]]:
        """Jobs that a fact came of after the wipe: id, message id, recipient id. As many as were in flight."""
        wanted = select(_jobs.c.id, _jobs.c.message_id, _jobs.c.recipient_id).where(
            _jobs.c.state.in_(_OPEN), _jobs.c.message_id.is_not(None)
        )
        with log_errors(self._engine), self._engine.connect() as connection:
            return [(row.id, row.message_id, row.recipient_id) for row in connection.execute(wanted)]

    def heads(self, horizon: datetime) -> Generator[Head]:
        """The head of every line.

        Args:
            horizon: scheduled jobs whose time is later are in no line.
        """
        with self._streamed(_heads(horizon)) as rows:
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


def _heads(horizon: datetime) -> Select[Any]:
    line = (_jobs.c.page_id, _jobs.c.recipient_kind, _jobs.c.recipient)
    entered = case((_jobs.c.lane == "replies", _ENTERED))
    waiting = (
        select(
            _jobs.c.page_id.label("page"),
            _jobs.c.recipient_kind.label("kind"),
            _jobs.c.recipient,
            _jobs.c.state,
            _jobs.c.attempts,
            _ENTERED.label("entered"),
            _jobs.c.id,
            _jobs.c.due_at,
            _jobs.c.expires_at,
            _MEDIA.label("media"),
            func.min(entered).over(partition_by=line).label("first_reply"),
            func.row_number().over(partition_by=line, order_by=(_BEHIND, _ENTERED, _jobs.c.id)).label("place"),
        )
        .where(
            _jobs.c.state.in_(_OPEN),
            _jobs.c.page_id.is_not(None),
            or_(_jobs.c.state != State.SCHEDULED.value, _jobs.c.due_at <= horizon),
        )
        .subquery("waiting")
    )
    past = tables.jobs.alias("past")
    moved = select(func.max(past.c.settled_at)).where(
        past.c.page_id == waiting.c.page,
        past.c.recipient == waiting.c.recipient,
        past.c.recipient_kind == waiting.c.kind,
        past.c.state.in_(_FINAL),
    )
    turn_came = or_(past.c.attempts > 0, past.c.state.not_in([State.CANCELLED.value, State.EXPIRED.value]))
    other = tables.jobs.alias("other")
    replanned = exists().where(
        other.c.page_id == waiting.c.page,
        other.c.recipient == waiting.c.recipient,
        other.c.recipient_kind == waiting.c.kind,
        other.c.state.in_([State.QUEUED.value, State.SCHEDULED.value]),
        other.c.due_at.is_not(None),
        other.c.id != waiting.c.id,
    )
    columns = [column for column in waiting.c if column.name not in {"place", "id"}]
    return (
        select(
            *columns,
            moved.where(turn_came).scalar_subquery().label("moved"),
            moved.scalar_subquery().label("moved_perhaps"),
            replanned.label("replanned"),
        )
        .where(waiting.c.place == 1)
        .order_by(waiting.c.entered)
    )
