"""People that webhooks have told of.

A table of its own, so nothing waits for a lock. Receipts find their jobs by the index on page and recipient of 0001.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    op.create_table(
        "conversations",
        sa.Column("page_id", sa.Text, nullable=False),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("last_inbound_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("page_id", "recipient", name="pk_conversations"),
    )


def downgrade() -> None:
    op.drop_table("conversations")
