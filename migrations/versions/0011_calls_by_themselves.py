"""Calls without a foreign key to their jobs: PostgreSQL looked up and locked the job for each (decision 18).

A scheduler of the version before, which leaves it to the key to delete the calls of a job that it prunes, leaves them
to the end of their own retention time.
"""

from __future__ import annotations

from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: None = None
depends_on: None = None

_KEY = "fk_calls_job_id"


def upgrade() -> None:
    with op.batch_alter_table("calls") as calls:
        calls.drop_constraint(_KEY, type_="foreignkey")


def downgrade() -> None:
    op.execute("DELETE FROM calls WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.id = calls.job_id)")
    with op.batch_alter_table("calls") as calls:
        calls.create_foreign_key(_KEY, "jobs", ["job_id"], ["id"], ondelete="CASCADE")
