"""The jobs that operators browse: quick on millions of them, since each question reads a bounded part of an index.

Every function raises ``LogUnavailable`` or ``SchemaMissing`` where the database fails.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Select, func, select, tuple_
from sqlalchemy.orm import aliased

from envoi.log.database import log_errors
from envoi.log.letters import DEAD, spelled
from envoi.log.queries import LoggedCall, LoggedJob
from envoi.log.tables import DEAD_LETTER, calls, conversations, jobs, pages
from envoi.states import State

_FOUND = 20  # jobs that a search lists


@dataclass(frozen=True, slots=True)
class Listed:
    """A job in a list: a row of ``jobs`` without what was written.

    Attributes:
        replay: the newest job that replays it, as far as that is logged.
    """

    id: str
    page_id: str | None
    recipient_kind: str | None
    recipient: str | None
    lane: str | None
    state: State
    attempts: int
    enqueued_at: datetime
    settled_at: datetime | None
    error_code: int | None
    error_subcode: int | None
    error_message: str | None
    message_id: str | None
    discarded_at: datetime | None
    replay: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a list goes on: behind this job, to older ones."""

    enqueued_at: datetime
    id: str


@dataclass(frozen=True, slots=True)
class Filter:
    """Which jobs are listed. Page and code are for dead letters only, which have an index for each.

    Attributes:
        state: None: any.
        code: Graph's error code.
    """

    state: State | None = None
    page: str | None = None
    code: int | None = None

    @property
    def dead(self) -> bool:
        """Whether dead letters are meant; of these, discarded ones are not listed."""
        return self.state in DEAD


@dataclass(frozen=True, slots=True)
class Person:
    """A conversation that a search found, and when its newest job was enqueued."""

    page_id: str
    recipient_kind: str
    recipient: str
    newest_at: datetime


_again = aliased(jobs, name="again")
_replay = select(func.max(_again.c.id)).where(_again.c.replay_of == jobs.c.id).scalar_subquery().label("replay")
_LISTED = [_replay if name == "replay" else jobs.c[name] for name in Listed.__dataclass_fields__]
_JOB = [jobs.c[name] for name in LoggedJob.__dataclass_fields__]
_CALL = [calls.c[name] for name in LoggedCall.__dataclass_fields__]


def listed(engine: Engine, wanted: Filter, *, behind: Place | None = None, limit: int = 50) -> list[Listed]:
    """Jobs, those enqueued last first.

    Args:
        engine: the log's database.
        wanted: which.
        behind: go on there.
        limit: at most so many.
    """
    found = _newest_first(select(*_LISTED), behind, limit)
    if wanted.state is not None:
        found = found.where(jobs.c.state == spelled(wanted.state))
    if wanted.dead:
        found = found.where(DEAD_LETTER)
        if wanted.page is not None:
            found = found.where(jobs.c.page_id == wanted.page)
        if wanted.code is not None:
            found = found.where(jobs.c.error_code == wanted.code)
    return _read(engine, found)


def timeline(
    engine: Engine, page: str, kind: str, recipient: str, *, behind: Place | None = None, limit: int = 30
) -> list[tuple[LoggedJob, list[LoggedCall]]]:
    """The jobs of a conversation, the newest first, each with its calls in their order."""
    mine = (jobs.c.page_id == page, jobs.c.recipient == recipient, jobs.c.recipient_kind == kind)
    wanted = _newest_first(select(*_JOB).where(*mine), behind, limit)
    with log_errors(engine), engine.connect() as connection:
        rows = [
            LoggedJob(**{**row, "state": State(row["state"])}) for row in connection.execute(wanted).mappings().all()
        ]
        made: dict[str, list[LoggedCall]] = {row.id: [] for row in rows}
        asked = select(*_CALL).where(calls.c.job_id.in_(list(made))).order_by(calls.c.id)
        for call in connection.execute(asked).mappings() if made else ():
            made[call["job_id"]].append(LoggedCall(**call))
    return [(row, made[row.id]) for row in rows]


def last_inbound(engine: Engine, page: str, recipient: str) -> datetime | None:
    """When the person last wrote, tapped, …, by webhooks; None: the log does not know."""
    wanted = select(conversations.c.last_inbound_at).where(
        conversations.c.page_id == page, conversations.c.recipient == recipient
    )
    with log_errors(engine), engine.connect() as connection:
        return connection.execute(wanted).scalar_one_or_none()


def search(engine: Engine, word: str) -> tuple[list[Listed], list[Person]]:
    """Jobs with this id, message id or key, and conversations with this person, by page."""
    found: dict[str, Listed] = {}
    for column, value in ((jobs.c.id, word.upper()), (jobs.c.message_id, word), (jobs.c.key, word)):
        for job in _read(engine, select(*_LISTED).where(column == value).limit(_FOUND)):
            found[job.id] = job
    return list(found.values()), _people(engine, word)


def _people(engine: Engine, recipient: str) -> list[Person]:
    """One look into the index for each page: there is none by the person alone, which would cost every write."""
    newest = (
        select(jobs.c.id)
        .where(jobs.c.page_id == pages.c.id, jobs.c.recipient == recipient)
        .order_by(jobs.c.enqueued_at.desc())
        .limit(1)
        .correlate(pages)
        .scalar_subquery()
    )
    of_pages = select(newest.label("job")).select_from(pages).subquery()
    columns = (jobs.c.page_id, jobs.c.recipient_kind, jobs.c.recipient, jobs.c.enqueued_at)
    wanted = select(*columns).join(of_pages, of_pages.c.job == jobs.c.id).order_by(jobs.c.enqueued_at.desc())
    with log_errors(engine), engine.connect() as connection:
        return [Person(*row) for row in connection.execute(wanted.limit(_FOUND))]


def _read(engine: Engine, wanted: Select[Any]) -> list[Listed]:
    with log_errors(engine), engine.connect() as connection:
        return [Listed(**{**row, "state": State(row["state"])}) for row in connection.execute(wanted).mappings()]


def _newest_first(wanted: Select[Any], behind: Place | None, limit: int) -> Select[Any]:
    if behind is not None:
        wanted = wanted.where(tuple_(jobs.c.enqueued_at, jobs.c.id) < (behind.enqueued_at, behind.id))
    return wanted.order_by(jobs.c.enqueued_at.desc(), jobs.c.id.desc()).limit(limit)
