"""How an act of an operator goes: a form names it; what cannot be undone is asked about first; a note tells its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import structlog
from starlette.responses import Response

from envoi.console.answer import rendered, sent_to
from envoi.console.ask import Ask, BadForm
from envoi.console.house import House
from envoi.console.notes import Note
from envoi.errors import EnvoiError

log = structlog.get_logger()

Act = Callable[[House, Ask], Note]


def perform(
    house: House,
    ask: Ask,
    acts: Mapping[str, Act],
    question: Callable[[str], str | None] = lambda _name: None,
    *,
    of: str = "",
) -> Response:
    """Do what a form asks for, then go back to where it came from.

    Args:
        house: what is acted on.
        ask: the request; its form names the act.
        acts: those that the form may name.
        question: what to ask about an act before it is done; None: it can be taken back, or does no harm.
        of: goes before the act's name in the console's log.

    Raises:
        BadForm: it names none of them.
    """
    name = ask.form.get("act")
    if name not in acts:
        raise BadForm("no such act")
    if not ask.form.get("sure") and (text := question(name)):
        return _asked(house, ask, text)
    return _done(house, ask, f"{of}{name}", acts[name])


def _asked(house: House, ask: Ask, question: str) -> Response:
    fields = [pair for pair in ask.form.pairs if pair[0] not in {"token", "sure"}]
    return rendered(house, ask, "confirm.html", action=ask.path, question=question, fields=fields, back=ask.back)


def _done(house: House, ask: Ask, name: str, act: Act) -> Response:
    """Do it, note what came of it, and go back. The console's log says who did what."""
    try:
        note = act(house, ask)
    except BadForm:
        raise
    except EnvoiError as error:
        note = Note("bad", f"{error}")
    session = ask.session.short if ask.session else None
    what = {field: ask.form.get(field) for field in ("page", "broadcast", "state") if ask.form.get(field)}
    log.info(
        "an operator acted",
        action="console_act",
        act=name,
        result=note.text,
        jobs=ask.form.all("job"),
        host=ask.host,
        session=session,
        **what,
    )
    if ask.session:
        house.notes.leave(ask.session.id, note)
    return sent_to(ask.back)
