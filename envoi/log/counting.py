"""What operators see counted: quick on millions of jobs, since each count goes no further than a bound.

Every function raises ``LogUnavailable`` or ``SchemaMissing`` where the database fails.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, func, select

from envoi.log.database import log_errors
from envoi.log.letters import DEAD, spelled
from envoi.log.tables import DEAD_LETTER, jobs
from envoi.states import State

COUNTED = 200_000  # rows that are counted of one hour


@dataclass(frozen=True, slots=True)
class Hour:
    """What ended in an hour.

    Attributes:
        counts: by outcome and error code, the code of failed ones only.
        more: there are more than were counted.
    """

    since: datetime
    counts: dict[tuple[State, int | None], int]
    more: bool


def hour(engine: Engine, since: datetime, until: datetime) -> Hour:
    """Count what ended in a while, an hour at most: no further than ``COUNTED`` jobs."""
    within = (
        select(jobs.c.state, jobs.c.error_code)
        .where(jobs.c.settled_at >= since, jobs.c.settled_at < until)
        .order_by(jobs.c.settled_at)
        .limit(COUNTED + 1)
        .subquery()
    )
    wanted = select(within.c.state, within.c.error_code, func.count()).group_by(within.c.state, within.c.error_code)
    with log_errors(engine), engine.connect() as connection:
        rows = connection.execute(wanted).all()
    counts: dict[tuple[State, int | None], int] = {}
    for state, code, number in rows:
        key = (State(state), code if state == State.FAILED else None)
        counts[key] = counts.get(key, 0) + number
    return Hour(since, counts, sum(counts.values()) > COUNTED)


def examples(engine: Engine, codes: Sequence[int | None]) -> dict[int | None, str]:
    """What the newest failed job of each code was told."""
    found: dict[int | None, str] = {}
    for code in codes:
        wanted = select(jobs.c.error_message).where(
            jobs.c.state == spelled(State.FAILED),
            DEAD_LETTER,
            jobs.c.error_code.is_(None) if code is None else jobs.c.error_code == code,
        )
        newest = wanted.order_by(jobs.c.enqueued_at.desc()).limit(1)
        with log_errors(engine), engine.connect() as connection:
            found[code] = connection.execute(newest).scalar_one_or_none() or ""
    return found


def count_up_to(engine: Engine, state: State, most: int) -> int:
    """How many jobs are in a state, counted no further than ``most``; discarded dead letters are not."""
    found = select(jobs.c.id).where(jobs.c.state == spelled(state))
    if state in DEAD:
        found = found.where(DEAD_LETTER)
    with log_errors(engine), engine.connect() as connection:
        bounded = found.order_by(jobs.c.enqueued_at).limit(most).subquery()  # by its index, whatever the state
        return connection.execute(select(func.count()).select_from(bounded)).scalar_one()
