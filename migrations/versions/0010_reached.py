"""Index for erasing a person: jobs whose recipient was given another way, by the id that Meta says they reached.

Few jobs are in it: those to a comment, a post, a phone number, …
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from envoi.log.online import add_index

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: None = None
depends_on: None = None

REACHED = sa.text("recipient_id IS NOT NULL AND (recipient_kind <> 'id' OR recipient_id <> recipient)")


def upgrade() -> None:
    add_index("ix_jobs_reached", "jobs", ["page_id", "recipient_id"], REACHED)


def downgrade() -> None:
    op.drop_index("ix_jobs_reached", "jobs")
