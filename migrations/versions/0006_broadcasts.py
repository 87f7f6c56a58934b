"""Broadcasts: one message to many people, and what became of each."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: None = None
depends_on: None = None

_TIME = sa.DateTime(timezone=True)
_JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "broadcasts",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("key", sa.Text),
        sa.Column("page_id", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("payload", _JSON),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("loader", sa.Text),
        sa.Column("recipients", sa.Integer),
        sa.Column("duplicates", sa.Integer),
        sa.Column("skipped", sa.Integer),
        sa.Column("starts_at", _TIME),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("touched_at", _TIME, nullable=False),
        sa.Column("ended_at", _TIME),
        sa.PrimaryKeyConstraint("id", name="pk_broadcasts"),
        sa.UniqueConstraint("page_id", "key", name="uq_broadcasts_page_id_key"),
    )
    op.create_index("ix_broadcasts_state", "broadcasts", ["state"])
    op.create_table(
        "broadcast_recipients",
        sa.Column("broadcast_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("given", _JSON),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("job_id", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("fed_at", _TIME),
        sa.Column("memory", sa.Text),
        sa.Column("error_code", sa.BigInteger),
        sa.Column("error_subcode", sa.BigInteger),
        sa.Column("cause", sa.Text),
        sa.Column("error_message", sa.Text),
        sa.PrimaryKeyConstraint("broadcast_id", "kind", "recipient", name="pk_broadcast_recipients"),
        sa.ForeignKeyConstraint(
            ["broadcast_id"], ["broadcasts.id"], name="fk_broadcast_recipients_broadcast_id", ondelete="CASCADE"
        ),
    )
    op.create_index(
        "ix_broadcast_recipients_broadcast_id_state_number",
        "broadcast_recipients",
        ["broadcast_id", "state", "number"],
    )


def downgrade() -> None:
    op.drop_table("broadcast_recipients")
    op.drop_table("broadcasts")
