"""The pages that Envoi sends for, with their tokens."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pydantic import SecretStr
from sqlalchemy import Connection, Engine, Row, func, select, update

from envoi.log.credentials import Credentials
from envoi.log.database import log_errors
from envoi.log.errors import BadSecretKeys, UnknownApp, UnknownPage
from envoi.log.page import Page, page_columns
from envoi.log.secrets import SecretBox, needed
from envoi.log.tables import apps, pages
from envoi.log.upsert import insert_of

_CREDENTIALS = select(
    pages.c.id,
    pages.c.token,
    pages.c.token_version,
    pages.c.app_id,
    apps.c.secret,
    func.coalesce(pages.c.graph_url, apps.c.graph_url).label("graph_url"),
).select_from(pages.outerjoin(apps, pages.c.app_id == apps.c.id))


class PageStore:
    """The table ``pages``.

    Every method raises ``LogUnavailable`` or ``SchemaMissing`` where the database fails.

    Args:
        engine: the log's database.
        box: what tokens are encrypted with; None where none is written or read.
    """

    def __init__(self, engine: Engine, box: SecretBox | None) -> None:
        self._engine = engine
        self._box = box

    def add(
        self,
        page: str,
        token: SecretStr,
        *,
        platform: str = "messenger",
        pace: float | None = None,
        media_pace: float | None = None,
        cap: int | None = None,
        app: str | None = None,
        graph_url: str | None = None,
        name: str | None = None,
    ) -> Page:
        """Add a page, or replace what is known of it; its token gets the next version.

        Raises:
            UnknownApp: its app was never added.
        """
        now = datetime.now(UTC)
        given = {
            "name": name,
            "platform": platform,
            "app_id": app,
            "graph_url": graph_url,
            "pace": pace,
            "media_pace": media_pace,
            "cap": cap,
            "token": needed(self._box).seal(token),
            "updated_at": now,
        }
        with log_errors(self._engine), self._engine.execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
            check_app(connection, app)
            into = insert_of(connection)(pages).values(id=page, token_version=1, created_at=now, **given)
            connection.execute(
                into.on_conflict_do_update(
                    index_elements=[pages.c.id], set_={**given, "token_version": pages.c.token_version + 1}
                )
            )
            return _page(connection, page)

    def rotate(self, page: str, token: SecretStr) -> Page:
        """Give a page its next token.

        Raises:
            UnknownPage: it was never added.
        """
        change = update(pages).values(
            token=needed(self._box).seal(token), token_version=pages.c.token_version + 1, updated_at=datetime.now(UTC)
        )
        with log_errors(self._engine), self._engine.begin() as connection:
            connection.execute(change.where(pages.c.id == page))
            return _page(connection, page)

    def set_paused(self, page: str, reason: str | None) -> Page:
        """Record an operator's pause with its reason, or, with None, its end. The queue is what stops a page.

        Raises:
            UnknownPage: it was never added.
        """
        now = datetime.now(UTC)
        since = None if reason is None else now
        change = update(pages).values(paused_since=since, pause_reason=reason, updated_at=now)
        with log_errors(self._engine), self._engine.begin() as connection:
            connection.execute(change.where(pages.c.id == page))
            return _page(connection, page)

    def reseal(self) -> int:
        """Encrypt every token and secret with the newest key, so that an older one can be withdrawn; answers how many.

        Raises:
            BadSecretKeys: one was encrypted with a key that is not there any more. Nothing has changed.
        """
        count = 0
        with log_errors(self._engine), self._engine.execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
            for table, column in ((pages, pages.c.token), (apps, apps.c.secret)):
                sealed = connection.execute(select(table.c.id, column).order_by(table.c.id).with_for_update()).all()
                for owner, text in sealed:
                    connection.execute(
                        update(table).where(table.c.id == owner).values({column: needed(self._box).rotate(text)})
                    )
                count += len(sealed)
        return count

    def credentials(self, page: str) -> Credentials:
        """What a page's calls are made with.

        Raises:
            UnknownPage: it was never added.
            BadSecretKeys: no key fits its token, or its app's secret.
        """
        with log_errors(self._engine), self._engine.connect() as connection:
            row = connection.execute(_CREDENTIALS.where(pages.c.id == page)).first()
        if row is None:
            raise _unknown(page)
        return self._opened(row)

    def all_credentials(self) -> dict[str, Credentials]:
        """Every page's; pages whose token, or whose app's secret, no key fits are left out."""
        with log_errors(self._engine), self._engine.connect() as connection:
            rows = connection.execute(_CREDENTIALS).all()
        found = {}
        for row in rows:
            try:
                found[row.id] = self._opened(row)
            except BadSecretKeys:
                continue  # whoever sends for it is told, by name
        return found

    def _opened(self, row: Row[*tuple[Any, ...]]) -> Credentials:
        box = needed(self._box)
        secret = None if row.secret is None else box.open(row.secret)
        return Credentials(box.open(row.token), row.token_version, row.app_id, secret, row.graph_url)

    def get(self, page: str) -> Page:
        """One page.

        Raises:
            UnknownPage: it was never added.
        """
        with log_errors(self._engine), self._engine.connect() as connection:
            return _page(connection, page)

    def list(self) -> list[Page]:
        """All pages, by id."""
        with log_errors(self._engine), self._engine.connect() as connection:
            return [Page(**row) for row in connection.execute(page_columns().order_by(pages.c.id)).mappings()]


def check_app(connection: Connection, app: str | None) -> None:
    """See that an app is there before a page refers to it.

    Raises:
        UnknownApp: it was never added.
    """
    # Locked, so that nobody removes it before the page is written.
    asked = select(apps.c.id).where(apps.c.id == app).with_for_update(read=True)
    if app is not None and connection.execute(asked).first() is None:
        raise UnknownApp(f"no app {app}: add it with `envoi apps add {app}`")


def _page(connection: Connection, page: str) -> Page:
    row = connection.execute(page_columns().where(pages.c.id == page)).mappings().first()
    if row is None:
        raise _unknown(page)
    return Page(**row)


def _unknown(page: str) -> UnknownPage:
    return UnknownPage(f"no page {page}: add it with `envoi pages add {page}`")
