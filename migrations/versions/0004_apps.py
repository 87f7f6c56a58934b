"""Apps with secrets of their own; pages know their app and their host."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: None = None
depends_on: None = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "apps",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("name", sa.Text),
        sa.Column("secret", sa.LargeBinary, nullable=False),
        sa.Column("graph_url", sa.Text),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_apps"),
    )
    # Batches, since SQLite adds no constraint to a table that stands: it is copied.
    with op.batch_alter_table("pages") as pages:
        pages.add_column(sa.Column("app_id", sa.Text))
        pages.add_column(sa.Column("graph_url", sa.Text))
        pages.create_foreign_key("fk_pages_app_id", "apps", ["app_id"], ["id"])


def downgrade() -> None:
    with op.batch_alter_table("pages") as pages:
        pages.drop_constraint("fk_pages_app_id", type_="foreignkey")
        pages.drop_column("graph_url")
        pages.drop_column("app_id")
    op.drop_table("apps")
