"""The log's tables (DESIGN 8). What they are called is a promise; migrations/ makes them.

Times are aware datetimes in UTC on every database. The columns of ``jobs`` are of two kinds: what was enqueued never
changes; what became of it follows the events.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TextClause,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime. SQLite keeps no offset, so there the UTC time is stored without one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """From Python to the database.

        Raises:
            ValueError: the datetime is naive.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("the log takes aware datetimes only")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  # SQLAlchemy's signature
        """From the database to Python."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# SQLite counts rows by itself only for INTEGER, which holds 64 bits there anyway.
_RowNumber = BigInteger().with_variant(Integer(), "sqlite")
_Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _text(name: str, *arguments: Any, **options: Any) -> Column[str]:  # noqa: ANN401  # passed to Column
    return Column(name, Text, *arguments, **options)


def _time(name: str, **options: Any) -> Column[datetime]:  # noqa: ANN401  # passed to Column
    return Column(name, UtcDateTime, **options)


def _partial(where: TextClause) -> dict[str, Any]:
    return {"postgresql_where": where, "sqlite_where": where}


_REPLAY = text("replay_of IS NOT NULL")  # few are: the index is small

jobs = Table(
    "jobs",
    metadata,
    _text("id", primary_key=True),
    # As enqueued. Empty only where the payload was lost before the log could read it.
    _text("key"),  # not unique: a key may be used again once it has expired
    _text("page_id"),
    _text("recipient_kind"),
    _text("recipient"),
    _text("lane"),
    Column("payload", _Json),
    _time("expires_at"),
    _text("replay_of"),  # the job that this one replays
    _time("enqueued_at", nullable=False),
    # What became of it.
    _text("state", nullable=False),
    _text("message_id"),
    _text("recipient_id"),
    Column("attempts", Integer, nullable=False),
    Column("error_code", BigInteger),
    Column("error_subcode", BigInteger),
    _text("error_message"),
    _time("due_at"),
    _time("sent_at"),
    _time("settled_at"),
    _time("delivered_at"),
    _time("read_at"),
    _time("discarded_at"),  # when an operator had its message deleted
    Index(None, "state", "enqueued_at"),
    Index(None, "page_id", "recipient", "enqueued_at"),
    Index(None, "enqueued_at"),
    Index(None, "replay_of", postgresql_where=_REPLAY, sqlite_where=_REPLAY),
)
# Whose text is still kept, by how long ago they were settled: for the end of its retention time.
Index(
    "ix_jobs_settled_at_text",
    jobs.c.settled_at,
    postgresql_where=jobs.c.payload.is_not(None),
    sqlite_where=jobs.c.payload.is_not(None),
)
# For operators who browse (envoi/log/browsing.py). Those of dead letters are small: few jobs end so.
DEAD_LETTER = text("state IN ('failed', 'expired', 'unknown') AND discarded_at IS NULL")
Index("ix_jobs_dead_page", jobs.c.state, jobs.c.page_id, jobs.c.enqueued_at, **_partial(DEAD_LETTER))
Index("ix_jobs_dead_code", jobs.c.state, jobs.c.error_code, jobs.c.enqueued_at, **_partial(DEAD_LETTER))
# What ended when, and how: counted without a look at the jobs themselves.
Index("ix_jobs_outcome", jobs.c.settled_at, jobs.c.state, jobs.c.error_code, **_partial(text("settled_at IS NOT NULL")))
# Long and all different: a hash is a tenth of the size. Rows without one are not in it.
Index("ix_jobs_message_id", jobs.c.message_id, postgresql_using="hash")
Index("ix_jobs_key", jobs.c.key, postgresql_using="hash")

calls = Table(
    "calls",
    metadata,
    Column("id", _RowNumber, primary_key=True, autoincrement=True),
    _text("job_id", ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("attempt", Integer),  # empty where the answer came too late to say
    _text("step", nullable=False),
    _time("started_at", nullable=False),
    Column("duration_ms", Float, nullable=False),
    Column("http_status", Integer),
    _text("verdict", nullable=False),
    Column("error_code", BigInteger),
    Column("error_subcode", BigInteger),
    _text("error_message"),
    _text("fbtrace_id"),
    _text("message_id"),
    # What tells two calls apart: a call reported twice is one row. Its index also finds the calls of a job.
    UniqueConstraint("job_id", "started_at", "step"),
)

# Meta apps with a secret of their own; pages without one are of the app of ENVOI_APP_SECRET.
apps = Table(
    "apps",
    metadata,
    _text("id", primary_key=True),
    _text("name"),
    Column("secret", LargeBinary, nullable=False),  # encrypted as tokens are
    _text("graph_url"),  # of its pages; empty: ENVOI_GRAPH_URL
    _time("created_at", nullable=False),
    _time("updated_at", nullable=False),
)

pages = Table(
    "pages",
    metadata,
    _text("id", primary_key=True),
    _text("name"),
    _text("platform", nullable=False),
    _text("app_id", ForeignKey("apps.id")),  # empty: the app of ENVOI_APP_SECRET
    _text("graph_url"),  # empty: its app's, else ENVOI_GRAPH_URL
    Column("token", LargeBinary, nullable=False),  # encrypted (envoi/log/secrets.py)
    Column("token_version", Integer, nullable=False),
    Column("pace", Float),  # messages per second; empty: ENVOI_PAGE_PACE
    Column("media_pace", Float),  # of these, media; empty: ENVOI_PAGE_MEDIA_PACE
    Column("cap", Integer),  # calls in flight; empty: ENVOI_PAGE_CAP
    _time("paused_since"),  # empty: not paused
    _text("pause_reason"),
    _time("created_at", nullable=False),
    _time("updated_at", nullable=False),
)

# People that webhooks have told of. The queue holds the same for as long as a window may last.
conversations = Table(
    "conversations",
    metadata,
    _text("page_id", primary_key=True),
    _text("recipient", primary_key=True),  # page-scoped id
    _time("last_inbound_at", nullable=False),  # when the person last wrote, tapped, reacted, …
)


def _standing(name: str, *more: Column[Any]) -> Table:
    """What is said of conversations, and in force now. The queue holds the same."""
    key = (_text(column, primary_key=True) for column in ("page_id", "recipient_kind", "recipient"))
    return Table(name, metadata, *key, _time("since", nullable=False), *more)


# Once released, a row is kept for a while: until then nobody knows how long the conversation has waited for its page.
holds = _standing("holds", _time("until"), _time("released_at"))  # without a time: until it is released
opt_outs = _standing("opt_outs")

# How far a log writer has copied the stream. The row moves in the transaction that writes what was copied.
cursor = Table(
    "cursor",
    metadata,
    _text("name", primary_key=True),
    _text("run", nullable=False),  # of Redis: another run may have forgotten what this one appended last
    _text("position", nullable=False),  # id of the last entry copied; "0-0" before the first
)

# One message to many people. What is sent is fed from here into the queue, a little ahead of the page's pace.
broadcasts = Table(
    "broadcasts",
    metadata,
    _text("id", primary_key=True),
    _text("key"),
    _text("page_id", nullable=False),
    _text("state", nullable=False),
    Column("payload", _Json),  # the job of every recipient, without the recipient; empty after its retention time
    _text("content", nullable=False),  # digest of the payload
    _text("loader"),  # token of whoever loads the recipients; another one has taken over where it differs
    Column("recipients", Integer),  # empty until all are loaded
    Column("duplicates", Integer),
    Column("skipped", Integer),
    _time("starts_at"),
    _time("created_at", nullable=False),
    _time("touched_at", nullable=False),  # when somebody last loaded recipients, or changed its state
    _time("ended_at"),
    UniqueConstraint("page_id", "key"),
    Index(None, "state"),
)

broadcast_recipients = Table(
    "broadcast_recipients",
    metadata,
    _text("broadcast_id", ForeignKey("broadcasts.id", ondelete="CASCADE"), primary_key=True),
    _text("kind", primary_key=True),
    _text("recipient", primary_key=True),  # what tells this person from others of the kind
    Column("given", _Json),  # the Send API's object, where it holds more than that
    Column("number", BigInteger, nullable=False),  # the order
    _text("job_id", nullable=False),  # fixed before anything is enqueued: so nothing is enqueued twice
    _text("state", nullable=False),
    _time("fed_at"),  # by Redis's clock
    _text("memory"),  # of which Redis it was enqueued into (envoi/queue/keys.py)
    Column("error_code", BigInteger),
    Column("error_subcode", BigInteger),
    _text("cause"),  # of a refusal at the door, in a few words
    _text("error_message"),
    Index(None, "broadcast_id", "state", "number"),
)
