"""The log: whether it is there, of this version, and what it knows of jobs in doubt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, text

from envoi.doctor.clocks import agreement, trip
from envoi.doctor.doubts import NO_DOUBTS, Doubts, read_doubts, settling, unknown_jobs
from envoi.doctor.finding import Check, Finding, bad, ok, warn
from envoi.log.database import log_errors
from envoi.log.milestones import Milestone, Milestones
from envoi.log.schema import current_revision, revisions
from envoi.settings import Settings

_LEAST = {"postgresql": 14}  # the oldest that PostgreSQL's own project still mends
_TRIPS = 3


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
        doubts: what nobody answered for.
    """

    settings: Settings
    dialect: str
    version: tuple[int, ...]
    ahead: float
    revision: str | None
    newest: str
    known: bool
    wiped: Milestone | None = None
    doubts: Doubts = NO_DOUBTS


def read_log(engine: Engine, settings: Settings) -> LogFacts:
    """Ask the log.

    Raises:
        LogUnavailable: it did not answer.
        SchemaMissing: the migrations are not at hand to compare with.
    """
    with log_errors(engine), engine.connect() as connection:
        ahead = _clock_ahead(connection)
        version = tuple(int(part) for part in connection.dialect.server_version_info or ())
    revision, known = current_revision(engine), revisions()
    facts = LogFacts(settings, engine.dialect.name, version, ahead, revision, known[0], revision in {None, *known})
    if revision != facts.newest:
        return facts  # what the tables hold is not for this version to read
    return replace(facts, wiped=Milestones(engine).wiped(), doubts=read_doubts(engine))


def _clock_ahead(connection: Connection) -> float:
    if connection.dialect.name == "sqlite":
        return 0.0  # this host's own
    return min(trip(lambda: _time(connection)) for _ in range(_TRIPS)).ahead


def _time(connection: Connection) -> float:
    return float(connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())


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
    return agreement("the database", facts.ahead, "the log's times of calls are this host's")


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


REACH = Check("sql", check_reachable)
CHECKS: tuple[Check[LogFacts], ...] = (
    Check("sql-version", check_version),
    Check("sql-clock", check_clock),
    Check("schema", check_schema),
    Check("wiped", check_wiped),
    Check("settling", lambda facts: settling(facts.doubts, facts.settings)),
    Check("unknown-jobs", lambda facts: unknown_jobs(facts.doubts)),
)
