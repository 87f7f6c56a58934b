"""Changes of a schema that stop nobody, for migrations: an index is built while the table is written.

Everything else that a migration may do to a table that stands takes its lock for a moment only: a column that may be
NULL is added, a table of its own is made. What is taken away or renamed is for a later version (docs/deploy.md).
"""

from __future__ import annotations

from collections.abc import Sequence

from alembic import op
from sqlalchemy import TextClause, text

_BUILD_TIMEOUT = "6h"  # of a large table; it holds up nobody meanwhile


def add_index(
    name: str, table: str, columns: Sequence[str], where: TextClause | None = None, *, using: str = "btree"
) -> None:
    """Build an index beside the work on its table; again from the start if an earlier try left half of it.

    It comes last in its migration: what stands before it is committed first, so it must bear to be run again.

    Args:
        name: of the index.
        table: that it is on.
        columns: that it is over, in order.
        where: which rows are in it; None: all.
        using: of what kind it is on PostgreSQL, such as ``hash``.
    """
    context = op.get_context()
    if context.dialect.name != "postgresql":
        op.create_index(name, table, list(columns), sqlite_where=where)
        return
    with context.autocommit_block():
        connection = op.get_bind()
        # It waits for every older transaction, and nobody waits for it meanwhile.
        before = {what: connection.scalar(text(f"SHOW {what}")) for what in ("lock_timeout", "statement_timeout")}
        connection.execute(text("SET lock_timeout = 0"))
        connection.execute(text(f"SET statement_timeout = '{_BUILD_TIMEOUT}'"))
        half = "SELECT NOT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)"
        if connection.scalar(text(half), {"name": name}):
            op.drop_index(name, table, postgresql_concurrently=True)
        op.create_index(
            name,
            table,
            list(columns),
            postgresql_where=where,
            postgresql_using=using,
            postgresql_concurrently=True,
            if_not_exists=True,
        )
        for what, value in before.items():
            connection.execute(text(f"SET {what} = '{value}'"))
