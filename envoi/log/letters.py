"""Dead letters in the log: jobs that ended without being sent, or nobody knows. They can be replayed or discarded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, Row, Select, bindparam, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import aliased

from envoi.log.database import log_errors
from envoi.log.tables import jobs
from envoi.states import State

DEAD = (State.FAILED, State.EXPIRED, State.UNKNOWN)
BATCH = 500  # letters that are read, enqueued or changed at once


@dataclass(frozen=True, slots=True)
class Letter:
    """A job as far as a replay needs it.

    Attributes:
        state: any; dead are those in ``DEAD``.
        payload: as enqueued; without its message where that was discarded; None where the log never had it.
        replays: how many jobs replay it, as far as they are logged.
        last_replay: the newest of them.
    """

    id: str
    state: State
    payload: dict[str, Any] | None
    discarded_at: datetime | None
    replays: int
    last_replay: str | None


@dataclass(frozen=True, slots=True)
class Choice:
    """Which dead letters are meant.

    Attributes:
        state: one of ``DEAD``.
        page: of this page only.
        since: that ended at this time or later; aware.
        limit: at most so many, the oldest first.
    """

    state: State
    page: str | None = None
    since: datetime | None = None
    limit: int | None = None


_again = aliased(jobs, name="again")
_replays = select(func.count()).where(_again.c.replay_of == jobs.c.id).scalar_subquery()
_last_replay = select(func.max(_again.c.id)).where(_again.c.replay_of == jobs.c.id).scalar_subquery()
_letters = select(
    jobs.c.id,
    jobs.c.state,
    jobs.c.payload,
    jobs.c.discarded_at,
    jobs.c.enqueued_at,
    _replays.label("replays"),
    _last_replay.label("last_replay"),
)


def find(engine: Engine, ids: Sequence[str]) -> dict[str, Letter]:
    """Jobs in any state by their ids, those that the log knows; at most some hundreds.

    Raises:
        LogUnavailable, SchemaMissing: the database failed.
    """
    with log_errors(engine), engine.connect() as connection:
        rows = connection.execute(_letters.where(jobs.c.id.in_(ids))).all()
    return {row.id: _letter(row) for row in rows}


def choose(engine: Engine, choice: Choice, *, replayed: bool) -> Iterator[list[Letter]]:
    """The dead letters that are meant, in the order in which they were enqueued, in batches. Discarded ones are not.

    Args:
        engine: the log's database.
        choice: which are meant.
        replayed: also those that were replayed before.

    Raises:
        LogUnavailable, SchemaMissing: the database failed.
    """
    left, wanted = choice.limit, _wanted(choice, replayed=replayed)
    while left is None or left > 0:
        batch = wanted.limit(BATCH if left is None else min(BATCH, left))
        with log_errors(engine), engine.connect() as connection:
            rows = connection.execute(batch).all()
        if not rows:
            return
        yield [_letter(row) for row in rows]
        left = None if left is None else left - len(rows)
        last = rows[-1]
        wanted = _wanted(choice, replayed=replayed).where(
            tuple_(jobs.c.enqueued_at, jobs.c.id) > (last.enqueued_at, last.id)
        )


def count(engine: Engine, choice: Choice, *, replayed: bool) -> int:
    """How many dead letters are meant: as many as :func:`choose` finds now.

    Raises:
        LogUnavailable, SchemaMissing: the database failed.
    """
    wanted = _wanted(choice, replayed=replayed).with_only_columns(jobs.c.id).order_by(None).limit(choice.limit)
    with log_errors(engine), engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(wanted.subquery())).scalar_one()


def discard(engine: Engine, ids: Sequence[str]) -> int:
    """Delete the messages of dead letters from the log; their rows stay, and say when. At most some hundreds.

    Returns:
        How many this call discarded: not those that were before, nor jobs that are not dead.

    Raises:
        LogUnavailable, SchemaMissing: the database failed.
    """
    bare: ColumnElement[Any]
    if engine.dialect.name == "postgresql":
        bare = jobs.c.payload.cast(JSONB).op("-")("message")
    else:
        bare = func.json_remove(jobs.c.payload, "$.message", type_=jobs.c.payload.type)
    change = (
        update(jobs)
        .where(jobs.c.id.in_(ids), jobs.c.state.in_(DEAD), jobs.c.discarded_at.is_(None))
        .values(discarded_at=datetime.now(UTC), payload=bare)
    )
    locking = engine.execution_options(sqlite_begin="IMMEDIATE")
    with log_errors(engine), locking.begin() as connection:
        return connection.execute(change).rowcount


def spelled(state: State) -> ColumnElement[str]:
    """A state in the text of the query itself: a partial index serves a query that can be seen to ask for its part."""
    return bindparam("state", state.value, literal_execute=True)


def _wanted(choice: Choice, *, replayed: bool) -> Select[Any]:
    found = _letters.where(jobs.c.state == choice.state.value, jobs.c.discarded_at.is_(None))
    if choice.page is not None:
        found = found.where(jobs.c.page_id == choice.page)
    if choice.since is not None:
        found = found.where(jobs.c.settled_at >= choice.since)
    if not replayed:
        found = found.where(~select(_again.c.id).where(_again.c.replay_of == jobs.c.id).exists())
    return found.order_by(jobs.c.enqueued_at, jobs.c.id)


def _letter(row: Row[*tuple[Any, ...]]) -> Letter:
    return Letter(row.id, State(row.state), row.payload, row.discarded_at, row.replays, row.last_replay)
