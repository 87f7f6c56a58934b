"""The database's own INSERT, which can say what happens to a row that is there already."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.dialects import postgresql, sqlite


def insert_of(database: Connection | Engine) -> Any:  # noqa: ANN401  # two dialects' inserts share no type
    """What makes an INSERT with ``on_conflict_do_update`` and ``on_conflict_do_nothing``."""
    return sqlite.insert if database.dialect.name == "sqlite" else postgresql.insert
