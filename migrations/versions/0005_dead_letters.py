"""Dead letters: which job replays which, and when the message of one was deleted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("replay_of", sa.Text))
    op.add_column("jobs", sa.Column("discarded_at", sa.DateTime(timezone=True)))
    few = sa.text("replay_of IS NOT NULL")
    op.create_index("ix_jobs_replay_of", "jobs", ["replay_of"], postgresql_where=few, sqlite_where=few)


def downgrade() -> None:
    op.drop_index("ix_jobs_replay_of", "jobs")
    op.drop_column("jobs", "discarded_at")
    op.drop_column("jobs", "replay_of")
