"""The log's tables (DESIGN 8). What they are called is a promise; migrations/ makes them.

Times are aware datetimes in UTC on every database. The columns of ``jobs`` are of two kinds: what was enqueued never
changes; what became of it follows the events.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    TextClause,
    UniqueConstraint,
    text,
)

from envoi.log.columns import DOCUMENT, ROW_NUMBER, text_column, time_column

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _partial(where: ColumnElement[bool] | TextClause) -> dict[str, Any]:
    return {"postgresql_where": where, "sqlite_where": where}


jobs = Table(
    "jobs",
    metadata,
    text_column("id", primary_key=True),
    # As enqueued. Empty only where the payload was lost before the log could read it.
    text_column("key"),  # not unique: a key may be used again once it has expired
    text_column("page_id"),
    text_column("recipient_kind"),
    text_column("recipient"),
    text_column("lane"),
    Column("payload", DOCUMENT),
    time_column("expires_at"),
    text_column("replay_of"),  # the job that this one replays
    time_column("enqueued_at", nullable=False),
    # What became of it.
    text_column("state", nullable=False),
    text_column("message_id"),
    text_column("recipient_id"),
    Column("attempts", Integer, nullable=False),
    Column("error_code", BigInteger),
    Column("error_subcode", BigInteger),
    text_column("error_message"),
    time_column("due_at"),
    time_column("sent_at"),
    time_column("settled_at"),
    time_column("delivered_at"),
    time_column("read_at"),
    time_column("discarded_at"),  # when an operator had its message deleted
    Index(None, "state", "enqueued_at"),
    Index(None, "page_id", "recipient", "enqueued_at"),
    Index(None, "enqueued_at"),
    Index(None, "replay_of", **_partial(text("replay_of IS NOT NULL"))),  # few are: it is small
)
# Whose text is still kept, by how long ago they were settled: for the end of its retention time.
Index("ix_jobs_settled_at_text", jobs.c.settled_at, **_partial(jobs.c.payload.is_not(None)))
# For operators who browse (envoi/log/browsing.py). Those of dead letters are small: few jobs end so.
DEAD_LETTER = text("state IN ('failed', 'expired', 'unknown') AND discarded_at IS NULL")
Index("ix_jobs_dead_page", jobs.c.state, jobs.c.page_id, jobs.c.enqueued_at, **_partial(DEAD_LETTER))
Index("ix_jobs_dead_code", jobs.c.state, jobs.c.error_code, jobs.c.enqueued_at, **_partial(DEAD_LETTER))
# What ended when, and how: counted without a look at the jobs themselves.
Index("ix_jobs_outcome", jobs.c.settled_at, jobs.c.state, jobs.c.error_code, **_partial(text("settled_at IS NOT NULL")))
# Long and all different: a hash is a tenth of the size. Rows without one are not in it.
Index("ix_jobs_message_id", jobs.c.message_id, postgresql_using="hash")
Index("ix_jobs_key", jobs.c.key, postgresql_using="hash")
# Jobs whose recipient was given another way than by the id that Meta says they reached: for the erasure of a person.
REACHED = text("recipient_id IS NOT NULL AND (recipient_kind <> 'id' OR recipient_id <> recipient)")
Index("ix_jobs_reached", jobs.c.page_id, jobs.c.recipient_id, **_partial(REACHED))

calls = Table(
    "calls",
    metadata,
    Column("id", ROW_NUMBER, primary_key=True, autoincrement=True),
    # No foreign key: each row would cost a look for its job. Who deletes a job deletes its calls (scheduler/prune.py).
    text_column("job_id", nullable=False),
    Column("attempt", Integer),  # empty where the answer came too late to say
    text_column("step", nullable=False),
    time_column("started_at", nullable=False),
    Column("duration_ms", Float, nullable=False),
    Column("http_status", Integer),
    text_column("verdict", nullable=False),
    Column("error_code", BigInteger),
    Column("error_subcode", BigInteger),
    text_column("error_message"),
    text_column("fbtrace_id"),
    text_column("message_id"),
    # What tells two calls apart: a call reported twice is one row. Its index also finds the calls of a job.
    UniqueConstraint("job_id", "started_at", "step"),
)

# Meta apps with a secret of their own; pages without one are of the app of ENVOI_APP_SECRET.
apps = Table(
    "apps",
    metadata,
    text_column("id", primary_key=True),
    text_column("name"),
    Column("secret", LargeBinary, nullable=False),  # encrypted as tokens are
    text_column("graph_url"),  # of its pages; empty: ENVOI_GRAPH_URL
    time_column("created_at", nullable=False),
    time_column("updated_at", nullable=False),
)

pages = Table(
    "pages",
    metadata,
    text_column("id", primary_key=True),
    text_column("name"),
    text_column("platform", nullable=False),
    text_column("app_id", ForeignKey("apps.id")),  # empty: the app of ENVOI_APP_SECRET
    text_column("graph_url"),  # empty: its app's, else ENVOI_GRAPH_URL
    Column("token", LargeBinary, nullable=False),  # encrypted (envoi/log/secrets.py)
    Column("token_version", Integer, nullable=False),
    Column("pace", Float),  # messages per second; empty: ENVOI_PAGE_PACE
    Column("media_pace", Float),  # of these, media; empty: ENVOI_PAGE_MEDIA_PACE
    Column("cap", Integer),  # calls in flight; empty: ENVOI_PAGE_CAP
    time_column("paused_since"),  # empty: not paused
    text_column("pause_reason"),
    time_column("created_at", nullable=False),
    time_column("updated_at", nullable=False),
)

# People that webhooks have told of. The queue holds the same for as long as a window may last.
conversations = Table(
    "conversations",
    metadata,
    text_column("page_id", primary_key=True),
    text_column("recipient", primary_key=True),  # page-scoped id
    time_column("last_inbound_at", nullable=False),  # when the person last wrote, tapped, reacted, …
)


def _standing(name: str, *more: Column[Any]) -> Table:
    """What is said of conversations, and in force now. The queue holds the same."""
    key = (text_column(column, primary_key=True) for column in ("page_id", "recipient_kind", "recipient"))
    return Table(name, metadata, *key, time_column("since", nullable=False), *more)


# Once released, a row is kept for a while: until then nobody knows how long the conversation has waited for its page.
holds = _standing("holds", time_column("until"), time_column("released_at"))  # without a time: until it is released
opt_outs = _standing("opt_outs")

# How far a log writer has copied the stream. The row moves in the transaction that writes what was copied.
cursor = Table(
    "cursor",
    metadata,
    text_column("name", primary_key=True),
    text_column("run", nullable=False),  # of Redis: another run may have forgotten what this one appended last
    text_column("position", nullable=False),  # id of the last entry copied; "0-0" before the first
)

# One message to many people. What is sent is fed from here into the queue, a little ahead of the page's pace.
broadcasts = Table(
    "broadcasts",
    metadata,
    text_column("id", primary_key=True),
    text_column("key"),
    text_column("page_id", nullable=False),
    text_column("state", nullable=False),
    Column("payload", DOCUMENT),  # the job of every recipient, without the recipient; empty after its retention time
    text_column("content", nullable=False),  # digest of the payload
    text_column("loader"),  # token of whoever loads the recipients; another one has taken over where it differs
    Column("recipients", Integer),  # empty until all are loaded
    Column("duplicates", Integer),
    Column("skipped", Integer),
    time_column("starts_at"),
    time_column("created_at", nullable=False),
    time_column("touched_at", nullable=False),  # when somebody last loaded recipients, or changed its state
    time_column("ended_at"),
    UniqueConstraint("page_id", "key"),
    Index(None, "state"),
)

broadcast_recipients = Table(
    "broadcast_recipients",
    metadata,
    text_column("broadcast_id", ForeignKey("broadcasts.id", ondelete="CASCADE"), primary_key=True),
    text_column("kind", primary_key=True),
    text_column("recipient", primary_key=True),  # what tells this person from others of the kind
    Column("given", DOCUMENT),  # the Send API's object, where it holds more than that
    Column("number", BigInteger, nullable=False),  # the order
    text_column("job_id", nullable=False),  # fixed before anything is enqueued: so nothing is enqueued twice
    text_column("state", nullable=False),
    time_column("fed_at"),  # by Redis's clock
    text_column("memory"),  # of which Redis it was enqueued into (envoi/queue/keys.py)
    Column("error_code", BigInteger),
    Column("error_subcode", BigInteger),
    text_column("cause"),  # of a refusal at the door, in a few words
    text_column("error_message"),
    Index(None, "broadcast_id", "state", "number"),
)
