"""Indexes for operators who browse the log: dead letters by page and by code, outcomes by time, message ids and keys.

On PostgreSQL they are built while everybody goes on writing, each in a transaction of its own. What an interrupted build
left behind is built anew.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: None = None
depends_on: None = None

concurrent = True  # envoi.log.schema runs it outside of a transaction

DEAD = sa.text("state IN ('failed', 'expired', 'unknown') AND discarded_at IS NULL")
ENDED = sa.text("settled_at IS NOT NULL")
INDEXES: dict[str, tuple[list[str], dict[str, Any]]] = {
    "ix_jobs_dead_page": (["state", "page_id", "enqueued_at"], {"postgresql_where": DEAD, "sqlite_where": DEAD}),
    "ix_jobs_dead_code": (["state", "error_code", "enqueued_at"], {"postgresql_where": DEAD, "sqlite_where": DEAD}),
    "ix_jobs_outcome": (["settled_at", "state", "error_code"], {"postgresql_where": ENDED, "sqlite_where": ENDED}),
    "ix_jobs_message_id": (["message_id"], {"postgresql_using": "hash"}),
    "ix_jobs_key": (["key"], {"postgresql_using": "hash"}),
}
_HALF_BUILT = sa.text("SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(:name) AND NOT indisvalid")


def upgrade() -> None:
    postgres = op.get_bind().dialect.name == "postgresql"
    for name, (columns, options) in INDEXES.items():
        if postgres and op.get_bind().execute(_HALF_BUILT, {"name": name}).first():
            op.drop_index(name, "jobs", postgresql_concurrently=True)
        op.create_index(name, "jobs", columns, if_not_exists=True, postgresql_concurrently=postgres, **options)


def downgrade() -> None:
    for name in INDEXES:
        op.drop_index(name, "jobs")
