"""The first log: jobs, calls, pages and the log writer's cursor."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0001"
down_revision: str | None = None
branch_labels: None = None
depends_on: None = None

# Types are spelled out: a migration must not change when envoi/log/tables.py does.
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("key", sa.Text),
        sa.Column("page_id", sa.Text),
        sa.Column("recipient_kind", sa.Text),
        sa.Column("recipient", sa.Text),
        sa.Column("lane", sa.Text),
        sa.Column("payload", JSON),
        sa.Column("expires_at", TIME),
        sa.Column("enqueued_at", TIME, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("message_id", sa.Text),
        sa.Column("recipient_id", sa.Text),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("error_code", sa.BigInteger),
        sa.Column("error_subcode", sa.BigInteger),
        sa.Column("error_message", sa.Text),
        sa.Column("due_at", TIME),
        sa.Column("sent_at", TIME),
        sa.Column("settled_at", TIME),
        sa.Column("delivered_at", TIME),
        sa.Column("read_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
    )
    op.create_index("ix_jobs_state_enqueued_at", "jobs", ["state", "enqueued_at"])
    op.create_index("ix_jobs_page_id_recipient_enqueued_at", "jobs", ["page_id", "recipient", "enqueued_at"])
    op.create_index("ix_jobs_enqueued_at", "jobs", ["enqueued_at"])
    op.create_table(
        "calls",
        sa.Column("id", ROW_NUMBER, autoincrement=True, nullable=False),
        sa.Column("job_id", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("duration_ms", sa.Float, nullable=False),
        sa.Column("http_status", sa.Integer),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("error_code", sa.BigInteger),
        sa.Column("error_subcode", sa.BigInteger),
        sa.Column("error_message", sa.Text),
        sa.Column("fbtrace_id", sa.Text),
        sa.Column("message_id", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_calls"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_calls_job_id", ondelete="CASCADE"),
        sa.UniqueConstraint("job_id", "started_at", "step", name="uq_calls_job_id_started_at_step"),
    )
    op.create_table(
        "pages",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("name", sa.Text),
        sa.Column("platform", sa.Text, nullable=False),
        sa.Column("token", sa.LargeBinary, nullable=False),
        sa.Column("token_version", sa.Integer, nullable=False),
        sa.Column("pace", sa.Float),
        sa.Column("cap", sa.Integer),
        sa.Column("paused_since", TIME),
        sa.Column("pause_reason", sa.Text),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_pages"),
    )
    op.create_table(
        "cursor",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("run", sa.Text, nullable=False),
        sa.Column("position", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_cursor"),
    )


def downgrade() -> None:
    for table in ("cursor", "pages", "calls", "jobs"):
        op.drop_table(table)
