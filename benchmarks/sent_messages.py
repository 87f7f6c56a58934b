"""The outcome table of every peer but Envoi: one row a job."""

from __future__ import annotations

import psycopg
from sqlalchemy import make_url

_TABLE = """
CREATE TABLE sent_messages (
    id serial PRIMARY KEY, page_id text NOT NULL, recipient_id text NOT NULL, text text NOT NULL,
    message_id text NOT NULL, sent_at timestamp NOT NULL
)
"""


def plain_address(database_url: str) -> str:
    """``postgresql://…``, as every client but SQLAlchemy takes it."""
    return make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)


class SentMessages:
    """The table as the harness sees it."""

    def __init__(self, database_url: str) -> None:
        self._database = psycopg.connect(plain_address(database_url), autocommit=True)

    def create(self) -> None:
        """Make it."""
        self._database.execute(_TABLE)

    def count(self) -> int:
        """How many rows are committed."""
        row = self._database.execute("SELECT count(*) FROM sent_messages").fetchone()
        return int(row[0]) if row else 0

    def close(self) -> None:
        """Give the connection back."""
        self._database.close()
