"""The report of a broadcast: how many people have which outcome, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, func, select

from envoi.broadcast.states import ENQUEUED, OUTCOMES, PENDING, REFUSED
from envoi.log.database import log_errors
from envoi.log.tables import broadcast_recipients as people
from envoi.log.tables import jobs
from envoi.states import State

MOST = 50  # reasons that are told


@dataclass(frozen=True, slots=True)
class Reason:
    """Why some people were not sent the message.

    Attributes:
        outcome: ``refused`` (at the queue's door), ``failed``, ``unknown``, ``expired`` or ``cancelled``.
        code: Graph's error code, if it was Graph that said no.
        cause: which of our own rules said no; None where it was not one.
        example: what one of them was told.
    """

    outcome: str
    count: int
    code: int | None
    subcode: int | None
    cause: str | None
    example: str | None


@dataclass(frozen=True, slots=True)
class Report:
    """Where a broadcast's people are.

    Attributes:
        waiting: not enqueued yet.
        enqueued: without outcome yet.
        outcomes: ``sent``, ``refused``, ``failed``, ``unknown``, ``expired``, ``cancelled``, each with its number.
        reasons: of those not sent, the most frequent first.
    """

    waiting: int
    enqueued: int
    outcomes: Mapping[str, int]
    reasons: list[Reason]

    @property
    def settled(self) -> int:
        """How many have an outcome."""
        return sum(self.outcomes.values())

    @property
    def total(self) -> int:
        """How many there are."""
        return self.waiting + self.enqueued + self.settled


def counted(engine: Engine, broadcast_id: str, *, reasons: bool = True) -> Report:
    """Count a broadcast's people.

    What was unknown may be proved sent later: that is looked up, and counts as sent.

    Args:
        engine: the log's database.
        broadcast_id: which.
        reasons: whether to say why; it takes longer.

    Raises:
        LogUnavailable, SchemaMissing: the database failed.
    """
    mine = people.c.broadcast_id == broadcast_id
    with log_errors(engine), engine.connect() as connection:
        by_state = select(people.c.state, func.count()).where(mine).group_by(people.c.state)
        states: dict[str, int] = {row[0]: row[1] for row in connection.execute(by_state)}
        proved = _proved(connection, broadcast_id) if states.get(State.UNKNOWN) else 0
        found = _reasons(connection, broadcast_id, proved) if reasons else []
    outcomes = {name: states.get(name, 0) for name in (State.SENT.value, REFUSED, *OUTCOMES)}
    outcomes[State.UNKNOWN.value] -= proved
    outcomes[State.SENT.value] += proved
    return Report(states.get(PENDING, 0), sum(states.get(name, 0) for name in ENQUEUED), outcomes, found)


def _proved(connection: Connection, broadcast_id: str) -> int:
    wanted = (
        select(func.count())
        .select_from(people.join(jobs, jobs.c.id == people.c.job_id))
        .where(people.c.broadcast_id == broadcast_id, people.c.state == State.UNKNOWN, jobs.c.state == State.SENT)
    )
    return connection.execute(wanted).scalar_one()


def _reasons(connection: Connection, broadcast_id: str, proved: int) -> list[Reason]:
    of = (people.c.state, people.c.error_code, people.c.error_subcode, people.c.cause)
    wanted = (
        select(*of, func.count().label("number"), func.max(people.c.error_message).label("example"))
        .where(people.c.broadcast_id == broadcast_id)
        .where(people.c.state.in_([REFUSED, *(name for name in OUTCOMES if name != State.SENT)]))
        .group_by(*of)
        .order_by(func.count().desc(), people.c.state)
        .limit(MOST)
    )
    found = []
    for row in connection.execute(wanted):
        left = row.number
        if row.state == State.UNKNOWN:
            left, proved = max(0, row.number - proved), max(0, proved - row.number)
        if left:
            found.append(Reason(row.state, left, row.error_code, row.error_subcode, row.cause, row.example))
    return found
