"""Indexes for operators who browse: dead letters by page and by code, outcomes by time, message ids and keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from envoi.log.online import add_index

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: None = None
depends_on: None = None

DEAD = sa.text("state IN ('failed', 'expired', 'unknown') AND discarded_at IS NULL")
ENDED = sa.text("settled_at IS NOT NULL")


def upgrade() -> None:
    add_index("ix_jobs_dead_page", "jobs", ["state", "page_id", "enqueued_at"], DEAD)
    add_index("ix_jobs_dead_code", "jobs", ["state", "error_code", "enqueued_at"], DEAD)
    add_index("ix_jobs_outcome", "jobs", ["settled_at", "state", "error_code"], ENDED)
    add_index("ix_jobs_message_id", "jobs", ["message_id"], using="hash")
    add_index("ix_jobs_key", "jobs", ["key"], using="hash")


def downgrade() -> None:
    for name in ("key", "message_id", "outcome", "dead_code", "dead_page"):
        op.drop_index(f"ix_jobs_{name}", "jobs")
