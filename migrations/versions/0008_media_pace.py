"""A pace of its own for a page's media."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0005"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    op.add_column("pages", sa.Column("media_pace", sa.Float))


def downgrade() -> None:
    op.drop_column("pages", "media_pace")
