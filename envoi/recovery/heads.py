"""The heads of lines, as far as the log knows: what orders a line, and the question for all of them at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, false, func, or_, select

from envoi.log import tables
from envoi.states import State

_jobs = tables.jobs
OPEN = [state.value for state in State if not state.final]
FINAL = [state.value for state in State if state.final]
_HEADS = [State.SENDING.value, State.SETTLING.value, State.RETRYING.value]  # only heads of lines are in these states

# When it entered its line, or will enter it: the order of a line.
ENTERED: ColumnElement[datetime] = case(
    (and_(_jobs.c.state.in_(["queued", "scheduled"]), _jobs.c.due_at.is_not(None)), _jobs.c.due_at),
    else_=_jobs.c.enqueued_at,
)
BEHIND: ColumnElement[int] = case((or_(_jobs.c.attempts > 0, _jobs.c.state.in_(_HEADS)), 0), else_=1)
_MESSAGE = _jobs.c.payload["message"]
_MEDIA: ColumnElement[bool] = func.coalesce(  # as envoi/pace.py
    _MESSAGE["attachment"]["type"].as_string().in_(["audio", "file", "image", "video"])
    | _MESSAGE["attachments"].as_string().is_not(None),
    false(),
)


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


def select_heads(horizon: datetime) -> Select[Any]:
    """The head of every line, one a row, as :class:`Head` has it.

    Args:
        horizon: scheduled jobs whose time is later are in no line.
    """
    line = (_jobs.c.page_id, _jobs.c.recipient_kind, _jobs.c.recipient)
    entered = case((_jobs.c.lane == "replies", ENTERED))
    waiting = (
        select(
            _jobs.c.page_id.label("page"),
            _jobs.c.recipient_kind.label("kind"),
            _jobs.c.recipient,
            _jobs.c.state,
            _jobs.c.attempts,
            ENTERED.label("entered"),
            _jobs.c.id,
            _jobs.c.due_at,
            _jobs.c.expires_at,
            _MEDIA.label("media"),
            func.min(entered).over(partition_by=line).label("first_reply"),
            func.row_number().over(partition_by=line, order_by=(BEHIND, ENTERED, _jobs.c.id)).label("place"),
        )
        .where(
            _jobs.c.state.in_(OPEN),
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
        past.c.state.in_(FINAL),
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
