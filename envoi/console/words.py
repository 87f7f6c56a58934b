"""What was written: shown where the settings let it be, to those who ask for it, and the console's log says so."""

from __future__ import annotations

import structlog

from envoi.console.answer import NotHere
from envoi.console.ask import Ask
from envoi.console.house import House

log = structlog.get_logger()


def let_read(house: House, ask: Ask, **what: str) -> None:
    """Somebody has asked for it.

    Args:
        house: whose settings say whether it may be shown.
        ask: who asks.
        what: which job or conversation, for the log.

    Raises:
        NotHere: this console shows it to nobody.
    """
    if house.settings.console_texts == "hide":
        raise NotHere("this console does not show what was written (ENVOI_CONSOLE_TEXTS)")
    session = ask.session.short if ask.session else None
    log.info("what was written was shown", action="console_texts", host=ask.host, session=session, **what)
