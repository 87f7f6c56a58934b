"""Troubles that last are told once a minute, not once a turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import structlog

from envoi.errors import EnvoiError

_EVERY = 60.0  # seconds between two lines on one trouble

log = structlog.get_logger()


@dataclass(slots=True)
class _Trouble:
    since: float
    told: float
    times: int = 1


@dataclass(slots=True)
class Tally:
    """How a part has fared so far.

    Attributes:
        failures: how often it met trouble.
        well: when it last came to a good end, seconds of the clock; None: never yet.
    """

    failures: int = 0
    well: float | None = None


class Troubles:
    """What is wrong now, each under the name of the part that meets it. Threads may share it.

    Args:
        clock: seconds, ever growing.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._now: dict[str, dict[str, _Trouble]] = {}
        self._tallies: dict[str, Tally] = {}

    @contextmanager
    def turn_of(self, part: str) -> Iterator[None]:
        """A turn of a part: an outage ends it and is told, else it comes to a good end."""
        try:
            yield
        except EnvoiError as error:
            self.tell(part, error)
        else:
            self.over(part)

    def tell(self, part: str, error: Exception, **fields: Any) -> None:  # noqa: ANN401  # what the log line shall hold
        """Something is wrong: logged at once when it is new, then once a minute while it lasts.

        Args:
            part: who meets it; the line's ``action``.
            error: says what is wrong, and what to do. Others of its class are the same trouble.
            fields: further fields of the line.
        """
        kind, text, now = type(error).__name__, str(error), self._clock()
        self._tallies.setdefault(part, Tally()).failures += 1
        kinds = self._now.setdefault(part, {})
        trouble = kinds.get(kind)
        if trouble is None:
            kinds[kind] = _Trouble(since=now, told=now)
            log.warning(text, action=part, trouble=kind, **fields)
            return
        trouble.times += 1
        if now - trouble.told >= _EVERY:
            trouble.told = now
            lasted = round(now - trouble.since, 1)
            log.warning(text, action=part, trouble=kind, seconds=lasted, times=trouble.times, **fields)

    def now(self) -> dict[str, list[str]]:
        """What is wrong now: the kinds of trouble of each part that meets any."""
        return {part: sorted(kinds) for part, kinds in list(self._now.items())}

    def tallies(self) -> dict[str, Tally]:
        """How each part has fared that has said anything."""
        return self._tallies.copy()

    def over(self, part: str) -> None:
        """A turn of this part came to a good end: says so once if something was wrong."""
        self._tallies.setdefault(part, Tally()).well = self._clock()
        kinds = self._now.pop(part, None)
        if kinds:
            since = min(trouble.since for trouble in kinds.values())
            log.info("works again", action=part, was=sorted(kinds), seconds=round(self._clock() - since, 1))
