"""Jobs whose message call nobody answered for: those that settle, and those that ended unknown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, func, select

from envoi.doctor.finding import Finding, bad, ok, span, warn
from envoi.log.database import log_errors
from envoi.log.tables import jobs
from envoi.settings import Settings
from envoi.states import State

_MOST = 1000  # jobs that are counted, which bounds the cost
_MANY = 100  # that settle at once: more than single lost answers
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Doubts:
    """How many there are; of each kind 1000 at most are counted.

    Attributes:
        settling: jobs that settle.
        settling_since: when the one was enqueued that settles longest, among those; None: none does.
        unknown: jobs enqueued within a week that ended ``unknown`` within a day.
    """

    settling: int
    settling_since: datetime | None
    unknown: int


NO_DOUBTS = Doubts(0, None, 0)


def read_doubts(engine: Engine) -> Doubts:
    """Count them, in bounded time.

    Raises:
        LogUnavailable, SchemaMissing: the log could not be read.
    """
    now = datetime.now(UTC)
    settle = select(jobs.c.enqueued_at).where(jobs.c.state == State.SETTLING.value)
    ended = select(jobs.c.id).where(
        jobs.c.state == State.UNKNOWN.value, jobs.c.enqueued_at > now - 7 * _DAY, jobs.c.settled_at > now - _DAY
    )
    with log_errors(engine), engine.connect() as connection:
        since = connection.execute(settle.order_by(jobs.c.enqueued_at).limit(_MOST)).scalars().all()
        unknown = connection.execute(select(func.count()).select_from(ended.limit(_MOST).subquery())).scalar_one()
    return Doubts(len(since), since[0] if since else None, unknown)


def settling(doubts: Doubts, settings: Settings) -> Finding:
    """Whether jobs in doubt get settled."""
    if doubts.settling_since is None:
        return ok("no job settles")
    age = (datetime.now(UTC) - doubts.settling_since).total_seconds()
    longest = max(settings.bulk_age, settings.replies_age) + settings.settle_longest + settings.settle_wait
    text = f"{_number(doubts.settling)} jobs settle, the oldest of {span(age)} ago"
    advice = "see schedulers, secret-keys and page-pauses: a look needs a scheduler with the page's token"
    if age > longest:
        return bad(f"{text}: longer than anything may", advice)
    return warn(text, advice) if doubts.settling >= _MANY else ok(text)


def unknown_jobs(doubts: Doubts) -> Finding:
    """Jobs of which nobody can say whether they were sent."""
    if not doubts.unknown:
        return ok("no job ended unknown within a day")
    text = f"{_number(doubts.unknown)} jobs ended unknown within a day: nobody can say whether they were sent"
    return warn(text, "see `envoi jobs --state unknown`; `envoi resolve JOB sent | not-sent` where you know better")


def _number(counted: int) -> str:
    return f"{counted} or more" if counted == _MOST else str(counted)
