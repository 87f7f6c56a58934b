"""An index by which texts whose retention time is over are found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from envoi.log.online import add_index

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: None = None
depends_on: None = None

KEPT = sa.text("payload IS NOT NULL")


def upgrade() -> None:
    add_index("ix_jobs_settled_at_text", "jobs", ["settled_at"], KEPT)


def downgrade() -> None:
    op.drop_index("ix_jobs_settled_at_text", "jobs")
