"""Answers: a page made from a template, or the way to another one."""

from __future__ import annotations

from starlette.responses import HTMLResponse, RedirectResponse, Response

from envoi.console.ask import Ask
from envoi.console.house import House
from envoi.errors import EnvoiError

SEE_OTHER = 303


class NotHere(EnvoiError):  # noqa: N818  # says what is wrong, as all errors of Envoi do
    """There is no such page, or nothing to show on it."""


def rendered(house: House, ask: Ask, template: str, *, status: int = 200, **values: object) -> Response:
    """A page.

    Args:
        house: whose notes are told on it.
        ask: what it answers.
        template: a file in ``envoi/console/templates``.
        status: of HTTP.
        values: what the template shows.
    """
    notes = house.notes.take(ask.session.id) if ask.session else []
    text = house.templates.get_template(template).render(ask=ask, session=ask.session, notes=notes, **values)
    return HTMLResponse(text, status)


def sent_to(path: str) -> Response:
    """The way to another page of the console, after a form."""
    return RedirectResponse(path, SEE_OTHER)
