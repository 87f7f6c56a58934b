"""Dead letters: which job replays which, and when the message of one was deleted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from envoi.log.online import add_index

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    again = op.get_context().dialect.name == "postgresql"  # an index that was not built in time does not undo them
    op.add_column("jobs", sa.Column("replay_of", sa.Text), if_not_exists=again or None)
    op.add_column("jobs", sa.Column("discarded_at", sa.DateTime(timezone=True)), if_not_exists=again or None)
    add_index("ix_jobs_replay_of", "jobs", ["replay_of"], sa.text("replay_of IS NOT NULL"))


def downgrade() -> None:
    op.drop_index("ix_jobs_replay_of", "jobs")
    op.drop_column("jobs", "discarded_at")
    op.drop_column("jobs", "replay_of")
