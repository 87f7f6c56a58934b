"""Making a broadcast: its template is checked, its page is looked up, and its recipients are loaded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Engine, select

from envoi.broadcast.loading import Loaded, Loader, Tell
from envoi.broadcast.template import Template
from envoi.errors import InvalidBroadcast, Problem
from envoi.fields import Key
from envoi.log.database import log_errors, opened_log
from envoi.log.errors import UnknownPage
from envoi.log.tables import pages
from envoi.settings import Settings

_KEY: TypeAdapter[str] = TypeAdapter(Key)

Said = tuple[str, Any, Mapping[str, Any]]


def make(
    settings: Settings,
    said: Said,
    recipients: Iterable[tuple[int, object]],
    *,
    key: str | None = None,
    skip_bad: bool = False,
    unit: str = "number",
    tell: Tell | None = None,
) -> Loaded:
    """Check and load a broadcast; it runs when this returns.

    Args:
        settings: say where the log is.
        said: the page, the message and the options, as :meth:`envoi.Envoi.broadcast` takes them.
        recipients: with their numbers.
        key: of the broadcast.
        skip_bad: leave out recipients that are wrong.
        unit: what the numbers count.
        tell: told now and then how many recipients were read.

    Raises:
        InvalidBroadcast, BroadcastConflict: nobody is sent anything.
        LogError: the page was never added, or the database failed.
    """
    if key is not None:
        _see_key(key)
    with opened_log(settings.database_url) as engine:
        template = _template(engine, *said)
        return Loader(engine, tell).load(template, recipients, key=key, skip_bad=skip_bad, unit=unit)


def _see_key(key: object) -> None:
    try:
        _KEY.validate_python(key)
    except ValidationError:
        raise InvalidBroadcast(Problem("key", "must be a string of 1 to 255 characters, without NUL")) from None


def _template(engine: Engine, page: str, message: Any, options: Mapping[str, Any]) -> Template:  # noqa: ANN401  # as Job takes it
    """The template, checked by the rules of the page's platform where the options name none."""
    template = Template.checked(page, message, options)
    with log_errors(engine), engine.connect() as connection:
        platform = connection.execute(select(pages.c.platform).where(pages.c.id == page)).scalar()
    if platform is None:
        raise UnknownPage(f"page {page} was never added: `envoi pages add {page}`")
    if "platform" in options or platform == template.platform:
        return template
    return Template.checked(page, message, {**options, "platform": platform})
