"""The Meta apps that pages belong to, with their secrets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import SecretStr
from sqlalchemy import Engine, delete, func, select, update

from envoi.log.database import log_errors
from envoi.log.errors import AppInUse, UnknownApp
from envoi.log.page import Page, page_columns
from envoi.log.secrets import SecretBox, needed
from envoi.log.tables import apps, pages
from envoi.log.upsert import insert_of


@dataclass(frozen=True, slots=True)
class App:
    """An app as the log knows it. The secret is not in it.

    Attributes:
        id: Meta's number for it.
        graph_url: host of its pages; None: ``ENVOI_GRAPH_URL``.
        pages: how many belong to it.
    """

    id: str
    name: str | None
    graph_url: str | None
    pages: int
    created_at: datetime
    updated_at: datetime


class AppStore:
    """The table ``apps``.

    Every method raises ``LogUnavailable`` or ``SchemaMissing`` where the database fails.

    Args:
        engine: the log's database.
        box: what secrets are encrypted with; None where none is written or read.
    """

    def __init__(self, engine: Engine, box: SecretBox | None) -> None:
        self._engine = engine
        self._box = box

    def add(self, app: str, secret: SecretStr, name: str | None = None, graph_url: str | None = None) -> list[Page]:
        """Add an app, or replace what is known of it.

        Returns:
            Its pages: their credentials have the next version, since the secret or the host may be another. The queue
            has to be told.
        """
        now = datetime.now(UTC)
        given = {"name": name, "secret": needed(self._box).seal(secret), "graph_url": graph_url, "updated_at": now}
        with log_errors(self._engine), self._engine.execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
            into = insert_of(connection)(apps).values(id=app, created_at=now, **given)
            connection.execute(into.on_conflict_do_update(index_elements=[apps.c.id], set_=given))
            connection.execute(
                update(pages)
                .where(pages.c.app_id == app)
                .values(token_version=pages.c.token_version + 1, updated_at=now)
            )
            rows = connection.execute(page_columns().where(pages.c.app_id == app).order_by(pages.c.id)).mappings()
            return [Page(**row) for row in rows]

    def secret(self, app: str) -> SecretStr:
        """An app's secret.

        Raises:
            UnknownApp: it was never added.
            BadSecretKeys: no key fits.
        """
        with log_errors(self._engine), self._engine.connect() as connection:
            sealed = connection.execute(select(apps.c.secret).where(apps.c.id == app)).scalar()
        if sealed is None:
            raise _unknown(app)
        return needed(self._box).open(sealed)

    def graph_url(self, app: str) -> str | None:
        """The host of an app's pages; None: ``ENVOI_GRAPH_URL``, or the app was never added."""
        with log_errors(self._engine), self._engine.connect() as connection:
            return connection.execute(select(apps.c.graph_url).where(apps.c.id == app)).scalar()

    def list(self) -> list[App]:
        """All apps, by id."""
        count = select(func.count()).where(pages.c.app_id == apps.c.id).correlate(apps).scalar_subquery()
        columns = (apps.c.id, apps.c.name, apps.c.graph_url, count.label("pages"), apps.c.created_at, apps.c.updated_at)
        with log_errors(self._engine), self._engine.connect() as connection:
            return [App(**row) for row in connection.execute(select(*columns).order_by(apps.c.id)).mappings()]

    def remove(self, app: str) -> None:
        """Forget an app and its secret.

        Raises:
            UnknownApp: it was never added.
            AppInUse: it has pages.
        """
        with log_errors(self._engine), self._engine.execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
            if connection.execute(select(apps.c.id).where(apps.c.id == app).with_for_update()).first() is None:
                raise _unknown(app)
            used = connection.execute(select(func.count()).where(pages.c.app_id == app)).scalar_one()
            if used:
                raise AppInUse(f"app {app} has {used} page(s): add them again with another app, or with none, first")
            connection.execute(delete(apps).where(apps.c.id == app))


def _unknown(app: str) -> UnknownApp:
    return UnknownApp(f"no app {app}: add it with `envoi apps add {app}`")
