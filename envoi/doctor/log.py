"""The log: whether it is there, of this version, and what it knows of jobs in doubt."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, Engine, func, select, text

from envoi.doctor.finding import Check, Finding, bad, ok, span, warn
from envoi.log.database import log_errors
from envoi.log.errors import SchemaMissing
from envoi.log.milestones import Milestone, Milestones
from envoi.log.schema import current_revision, revisions
from envoi.log.tables import jobs
from envoi.settings import Settings
from envoi.states import State

_LEAST = {"postgresql": 14}  # the oldest that PostgreSQL's own project still mends
_CLOCK, _CLOCK_BAD = 2.0, 60.0  # seconds
_TRIPS = 3
_MOST = 1000  # jobs that are counted, which bounds the cost
_MANY = 100  # that settle at once: more than single lost answers
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class LogFacts:
    """A log at one moment.

    Attributes:
        dialect: ``postgresql`` or ``sqlite``.
        version: of the server.
        ahead: seconds by which its clock is ahead of this host's.
        revision: of its schema; None: it was never migrated.
        newest: revision that this version of Envoi needs.
        known: whether this version of Envoi knows its revision.
        wiped: when Redis was found wiped and not recovered since; None: it was not.
        settling: jobs that settle, 1000 at most.
        settling_since: when the one was enqueued that settles longest, among those.
        unknown: jobs enqueued within a week that ended ``unknown`` within a day, 1000 at most.
    """

    settings: Settings
    dialect: str
    version: tuple[int, ...]
    ahead: float
    revision: str | None
    newest: str
    known: bool
    wiped: Milestone | None = None
    settling: int = 0
    settling_since: datetime | None = None
    unknown: int = 0


def read_log(engine: Engine, settings: Settings) -> LogFacts:
    """Ask the log.

    Raises:
        LogUnavailable: it did not answer.
        SchemaMissing: it is a file that is not there, or the migrations are not at hand to compare with.
    """
    see_file(engine)
    with log_errors(engine), engine.connect() as connection:
        ahead = _clock_ahead(connection)
        version = tuple(int(part) for part in connection.dialect.server_version_info or ())
    revision, known = current_revision(engine), revisions()
    facts = LogFacts(settings, engine.dialect.name, version, ahead, revision, known[0], revision in {None, *known})
    if revision != facts.newest:
        return facts  # what the tables hold is not for this version to read
    found = read_doubts(engine)
    return replace(
        facts,
        wiped=Milestones(engine).wiped(),
        settling=found.settling,
        settling_since=found.settling_since,
        unknown=found.unknown,
    )


def see_file(engine: Engine) -> None:
    """To connect to a file of SQLite makes one: that would be a change.

    Raises:
        SchemaMissing: it is not there.
    """
    file = engine.url.database
    if engine.dialect.name == "sqlite" and file and file != ":memory:" and not Path(file).exists():
        raise SchemaMissing(f"the file {file} is not there: run `envoi migrate`, or correct ENVOI_DATABASE_URL")


def _clock_ahead(connection: Connection) -> float:
    if connection.dialect.name == "sqlite":
        return 0.0  # this host's own
    trips = []
    for _ in range(_TRIPS):
        began, clock = time.perf_counter(), time.time()
        there = float(connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())
        took = time.perf_counter() - began
        trips.append((took, there - (clock + took / 2)))
    return min(trips)[1]  # the shortest tells the time best


@dataclass(frozen=True, slots=True)
class Doubts:
    """What became of message calls that nobody answered for; of each kind 1000 at most are counted.

    Attributes:
        settling: jobs that settle.
        settling_since: when the one was enqueued that settles longest, among those.
        unknown: jobs enqueued within a week that ended ``unknown`` within a day.
    """

    settling: int
    settling_since: datetime | None
    unknown: int


def read_doubts(engine: Engine) -> Doubts:
    """Count them, in bounded time.

    Raises:
        LogUnavailable, SchemaMissing: the log could not be read.
    """
    now = datetime.now(UTC)
    settling = select(jobs.c.enqueued_at).where(jobs.c.state == State.SETTLING.value)
    settling_rows = settling.order_by(jobs.c.enqueued_at).limit(_MOST)
    unknown = select(jobs.c.id).where(
        jobs.c.state == State.UNKNOWN.value, jobs.c.enqueued_at > now - 7 * _DAY, jobs.c.settled_at > now - _DAY
    )
    with log_errors(engine), engine.connect() as connection:
        waiting = connection.execute(settling_rows).scalars().all()
        ended = connection.execute(select(func.count()).select_from(unknown.limit(_MOST).subquery())).scalar_one()
    return Doubts(len(waiting), waiting[0] if waiting else None, ended)


def check_reachable(facts: LogFacts) -> Finding:
    """Whether it is a database for production."""
    name = f"{facts.dialect} {'.'.join(map(str, facts.version[:2]))}"
    if facts.dialect == "sqlite":
        advice = "for production set ENVOI_DATABASE_URL to a PostgreSQL"
        return warn(f"{name} answers: it serves one host only, and one writer at a time", advice)
    return ok(f"{name} answers")


def check_version(facts: LogFacts) -> Finding:
    """Whether the server is one that we know to work."""
    told = ".".join(map(str, facts.version[:2]))
    least = _LEAST.get(facts.dialect)
    if least and facts.version and facts.version[0] < least:
        return warn(f"{facts.dialect} {told} is older than what its project mends", f"upgrade to {least} or newer")
    return ok(f"{facts.dialect} {told}")


def check_clock(facts: LogFacts) -> Finding:
    """Whether this host and the database agree on the time."""
    off = abs(facts.ahead)
    text_ = f"the clock of the database is {off:.2f} s {'ahead of' if facts.ahead > 0 else 'behind'} this host's"
    advice = "let NTP set both clocks: the log's times of calls are this host's"
    if off >= _CLOCK_BAD:
        return bad(text_, advice)
    return warn(text_, advice) if off >= _CLOCK else ok(text_)


def check_schema(facts: LogFacts) -> Finding:
    """Whether the tables are those of this version."""
    if facts.revision is None:
        return bad("the log has no tables", "run `envoi migrate`")
    if not facts.known:
        text_ = f"the log is at revision {facts.revision}, which this version does not know: it is of a newer one"
        return bad(text_, "bring this host to the version that migrated the log")
    if facts.revision != facts.newest:
        text_ = f"the log is at revision {facts.revision}, and this version needs {facts.newest}"
        return bad(text_, "run `envoi migrate`")
    return ok(f"revision {facts.revision}, the newest")


def check_wiped(facts: LogFacts) -> Finding:
    """Whether the queue was wiped and not recovered."""
    if facts.wiped is None:
        return ok("no wiped queue waits to be recovered")
    at = datetime.fromtimestamp(facts.wiped.at, UTC)
    text_ = f"Redis was found wiped at {at:%Y-%m-%d %H:%M:%SZ}, and is not recovered"
    return bad(text_, "see that ENVOI_REDIS_URL is the right one, then run `envoi recover`")


def check_settling(facts: LogFacts) -> Finding:
    """Whether jobs in doubt get settled."""
    if not facts.settling or facts.settling_since is None:
        return ok("no job settles")
    settings = facts.settings
    age = (datetime.now(UTC) - facts.settling_since).total_seconds()
    longest = max(settings.bulk_age, settings.replies_age) + settings.settle_longest + settings.settle_wait
    told = f"{facts.settling}{' or more' if facts.settling == _MOST else ''} jobs settle, the oldest of {span(age)} ago"
    advice = "see schedulers, secret-keys and page-pauses: a look needs a scheduler with the page's token"
    if age > longest:
        return bad(f"{told}: longer than anything may", advice)
    return warn(told, advice) if facts.settling >= _MANY else ok(told)


def check_unknown(facts: LogFacts) -> Finding:
    """Jobs of which nobody can say whether they were sent."""
    if not facts.unknown:
        return ok("no job ended unknown within a day")
    more = " or more" if facts.unknown == _MOST else ""
    text_ = f"{facts.unknown}{more} jobs ended unknown within a day: nobody can say whether they were sent"
    return warn(text_, "see `envoi jobs --state unknown`; `envoi resolve JOB sent | not-sent` where you know better")


REACH = Check("sql", check_reachable)
CHECKS = (
    Check("sql-version", check_version),
    Check("sql-clock", check_clock),
    Check("schema", check_schema),
    Check("wiped", check_wiped),
    Check("settling", check_settling),
    Check("unknown-jobs", check_unknown),
)
