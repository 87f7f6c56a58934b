"""Conversations that an operator holds, and people who have opted out: for a Redis that was wiped.

Tables of their own, so nothing waits for a lock. They hold what is in force, and holds that were released a while ago.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    times = [sa.Column(name, sa.DateTime(timezone=True)) for name in ("until", "released_at")]
    for name, *more in (("holds", *times), ("opt_outs",)):
        op.create_table(
            name,
            sa.Column("page_id", sa.Text, nullable=False),
            sa.Column("recipient_kind", sa.Text, nullable=False),
            sa.Column("recipient", sa.Text, nullable=False),
            sa.Column("since", sa.DateTime(timezone=True), nullable=False),
            *more,
            sa.PrimaryKeyConstraint("page_id", "recipient_kind", "recipient", name=f"pk_{name}"),
        )


def downgrade() -> None:
    op.drop_table("opt_outs")
    op.drop_table("holds")
