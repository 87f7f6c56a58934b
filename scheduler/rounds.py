"""Rounds: work that is done again and again in a thread of its own, and outlasts any outage."""

from __future__ import annotations

import threading
from collections.abc import Callable

from envoi.errors import EnvoiError
from scheduler.troubles import Troubles

BLOCK = 1.75  # seconds of one wait for something to do; how long a stop may take
_PAUSE_FIRST, _PAUSE_CAP = 0.2, 2.0  # seconds between attempts during an outage


def go_round(name: str, turn: Callable[[], float], stop: threading.Event, troubles: Troubles) -> None:
    """Take turns until told to stop. An outage is waited for, and told once a minute.

    Args:
        name: whose work it is, for the log.
        turn: does what is to be done now, or waits no longer than ``BLOCK`` for it; returns seconds to rest after it.
        stop: set to end.
        troubles: told of outages.
    """
    pause = _PAUSE_FIRST
    while not stop.is_set():
        try:
            rest = turn()
        except EnvoiError as error:
            troubles.tell(name, type(error).__name__, str(error))
            stop.wait(pause)
            pause = min(2 * pause, _PAUSE_CAP)
            continue
        pause = _PAUSE_FIRST
        troubles.over(name)
        if rest > 0:
            stop.wait(rest)
