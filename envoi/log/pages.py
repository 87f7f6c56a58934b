"""The pages that Envoi sends for, with their tokens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import SecretStr
from sqlalchemy import Connection, Engine, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from envoi.log.database import log_errors
from envoi.log.errors import BadSecretKeys, UnknownPage
from envoi.log.secrets import SecretBox
from envoi.log.tables import jobs, pages
from envoi.states import State


@dataclass(frozen=True, slots=True)
class Page:
    """A page as the log knows it. The token is not in it: see :meth:`PageStore.token`.

    Attributes:
        platform: messenger or instagram.
        token_version: 1 for the first token, one more for each that replaced it.
        pace: messages per second; None: the default of all pages.
        cap: calls in flight; None: the default of all pages.
        paused_since: None while the page is not paused.
    """

    id: str
    name: str | None
    platform: str
    token_version: int
    pace: float | None
    cap: int | None
    paused_since: datetime | None
    pause_reason: str | None
    created_at: datetime
    updated_at: datetime


_OPEN = [state.value for state in State if not state.final]
_COLUMNS = [pages.c[name] for name in Page.__dataclass_fields__]


class PageStore:
    """The table ``pages``.

    Every method raises ``LogUnavailable`` or ``SchemaMissing`` where the database fails.

    Args:
        engine: the log's database.
        box: what tokens are encrypted with; None where none is written or read.
    """

    def __init__(self, engine: Engine, box: SecretBox | None) -> None:
        self._engine = engine
        self._given = box

    @property
    def _box(self) -> SecretBox:
        if self._given is None:
            raise TypeError("this store was opened without the keys of tokens")
        return self._given

    def add(
        self,
        page: str,
        token: SecretStr,
        platform: str = "messenger",
        pace: float | None = None,
        cap: int | None = None,
    ) -> Page:
        """Add a page, or replace what is known of it; its token gets the next version."""
        now = datetime.now(UTC)
        given = {"platform": platform, "pace": pace, "cap": cap, "token": self._box.seal(token), "updated_at": now}
        with log_errors(self._engine), self._engine.begin() as connection:
            into = _upsert(connection)(pages).values(id=page, token_version=1, created_at=now, **given)
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
            token=self._box.seal(token), token_version=pages.c.token_version + 1, updated_at=datetime.now(UTC)
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
        """Encrypt every token with the newest key, so that an older one can be withdrawn; answers how many.

        Raises:
            BadSecretKeys: a token was encrypted with a key that is not there any more. Nothing has changed.
        """
        with log_errors(self._engine), self._engine.execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
            sealed = connection.execute(select(pages.c.id, pages.c.token).order_by(pages.c.id).with_for_update()).all()
            for page, token in sealed:
                connection.execute(update(pages).where(pages.c.id == page).values(token=self._box.rotate(token)))
            return len(sealed)

    def token(self, page: str) -> tuple[SecretStr, int]:
        """A page's token and its version.

        Raises:
            UnknownPage: it was never added.
            BadSecretKeys: no key fits.
        """
        with log_errors(self._engine), self._engine.connect() as connection:
            row = connection.execute(select(pages.c.token, pages.c.token_version).where(pages.c.id == page)).first()
        if row is None:
            raise _unknown(page)
        return self._box.open(row.token), row.token_version

    def tokens(self) -> dict[str, tuple[SecretStr, int]]:
        """Every page's token and its version; pages whose token no key fits are left out."""
        with log_errors(self._engine), self._engine.connect() as connection:
            rows = connection.execute(select(pages.c.id, pages.c.token, pages.c.token_version)).all()
        found = {}
        for page, sealed, version in rows:
            try:
                found[page] = (self._box.open(sealed), version)
            except BadSecretKeys:
                continue  # whoever sends for it is told, by name
        return found

    def get(self, page: str) -> Page:
        """One page.

        Raises:
            UnknownPage: it was never added.
        """
        with log_errors(self._engine), self._engine.connect() as connection:
            return _page(connection, page)

    def waiting(self) -> dict[str, int]:
        """How many jobs of each page have no outcome yet, as far as the log is written; pages with none left out."""
        count = select(jobs.c.page_id, func.count()).where(jobs.c.state.in_(_OPEN)).group_by(jobs.c.page_id)
        with log_errors(self._engine), self._engine.connect() as connection:
            return {page: number for page, number in connection.execute(count) if page is not None}

    def list(self) -> list[Page]:
        """All pages, by id."""
        with log_errors(self._engine), self._engine.connect() as connection:
            return [Page(**row) for row in connection.execute(select(*_COLUMNS).order_by(pages.c.id)).mappings()]


def _upsert(connection: Connection) -> Any:  # noqa: ANN401  # two dialects' inserts share no type
    return sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert


def _page(connection: Connection, page: str) -> Page:
    row = connection.execute(select(*_COLUMNS).where(pages.c.id == page)).mappings().first()
    if row is None:
        raise _unknown(page)
    return Page(**row)


def _unknown(page: str) -> UnknownPage:
    return UnknownPage(f"no page {page}: add it with `envoi pages add {page}`")
