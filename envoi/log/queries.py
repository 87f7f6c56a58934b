"""What the log can be asked: for the command line, the demo and tests.

Every function raises ``LogUnavailable`` or ``SchemaMissing`` where the database fails.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, func, select

from envoi.log import tables
from envoi.log.database import log_errors
from envoi.states import State


@dataclass(frozen=True, slots=True)
class LoggedJob:
    """A row of ``jobs``. What was enqueued is None only where its payload was lost before the log could read it.

    Attributes:
        attempts: of the last event that says; an attempt that was given back counts until the next begins.
        enqueued_at: when the log's first event of this job happened.
        due_at: when a job that waits goes on; of a queued one that had a time ``at``, when it entered its line.
        sent_at: when its message call was known to be accepted.
        settled_at: when it reached its final state, or a later fact corrected that.
        replay_of: the job that this one replays.
        discarded_at: when its message was deleted, by an operator.
    """

    id: str
    key: str | None
    page_id: str | None
    recipient_kind: str | None
    recipient: str | None
    lane: str | None
    payload: dict[str, Any] | None
    expires_at: datetime | None
    enqueued_at: datetime
    state: State
    message_id: str | None
    recipient_id: str | None
    attempts: int
    error_code: int | None
    error_subcode: int | None
    error_message: str | None
    due_at: datetime | None
    sent_at: datetime | None
    settled_at: datetime | None
    delivered_at: datetime | None
    read_at: datetime | None
    replay_of: str | None
    discarded_at: datetime | None


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """A row of ``calls``; the attempt is None where the answer came too late to say."""

    id: int
    job_id: str
    attempt: int | None
    step: str
    started_at: datetime
    duration_ms: float
    http_status: int | None
    verdict: str
    error_code: int | None
    error_subcode: int | None
    error_message: str | None
    fbtrace_id: str | None
    message_id: str | None


_JOB = [tables.jobs.c[name] for name in LoggedJob.__dataclass_fields__]
_CALL = [tables.calls.c[name] for name in LoggedCall.__dataclass_fields__]

_OPEN = [state.value for state in State if not state.final]


def jobs(engine: Engine, *, state: State | None = None, limit: int = 100, discarded: bool = False) -> list[LoggedJob]:
    """The newest jobs, newest first; those of one state where it is given, and discarded ones where asked for."""
    wanted = select(*_JOB).order_by(tables.jobs.c.enqueued_at.desc(), tables.jobs.c.id.desc()).limit(limit)
    if state is not None:
        wanted = wanted.where(tables.jobs.c.state == state.value)
    if not discarded:
        wanted = wanted.where(tables.jobs.c.discarded_at.is_(None))
    with log_errors(engine), engine.connect() as connection:
        return [_logged(row) for row in connection.execute(wanted).mappings()]


def job(engine: Engine, job_id: str) -> LoggedJob | None:
    """One job; None where the log does not know it."""
    with log_errors(engine), engine.connect() as connection:
        row = connection.execute(select(*_JOB).where(tables.jobs.c.id == job_id)).mappings().first()
    return None if row is None else _logged(row)


def calls_of(engine: Engine, job_id: str) -> list[LoggedCall]:
    """The calls of a job, in the order in which they came to the log."""
    wanted = select(*_CALL).where(tables.calls.c.job_id == job_id).order_by(tables.calls.c.id)
    with log_errors(engine), engine.connect() as connection:
        return [LoggedCall(**row) for row in connection.execute(wanted).mappings()]


def count_by_state(engine: Engine) -> dict[State, int]:
    """How many jobs are in each state; states without jobs are left out."""
    with log_errors(engine), engine.connect() as connection:
        counted = connection.execute(select(tables.jobs.c.state, func.count()).group_by(tables.jobs.c.state)).all()
    return {State(state): number for state, number in counted}


def open_jobs(engine: Engine, at_most: int = 1000) -> int:
    """How many jobs have no outcome; counted no further than ``at_most``, which bounds the cost."""
    found = select(tables.jobs.c.id).where(tables.jobs.c.state.in_(_OPEN)).limit(at_most).subquery()
    with log_errors(engine), engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(found)).scalar_one()


def _logged(row: Any) -> LoggedJob:  # noqa: ANN401  # SQLAlchemy's row of any columns
    return LoggedJob(**{**row, "state": State(row["state"])})
