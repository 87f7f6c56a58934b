"""The usage headers: how much of its quota an app or a page has used (SEND_API 5).

Meta's advice is to stop calling before the limit: calls made while limited lengthen the block.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from envoi.queue.slowing import STOP_AT, part_at

LONGEST_HOLD = 86400.0  # seconds: Messenger's quota is one of 24 hours (SEND_API 5), so no wait need be longer

_APP, _PAGE, _BUSINESS = "x-app-usage", "x-page-usage", "x-business-use-case-usage"
_TYPES = frozenset({"messenger", "instagram", "pages"})  # what limits a message call; ads, say, do not
_REGAIN = "estimated_time_to_regain_access"  # minutes
_MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Quota:
    """How much of one quota is used.

    Attributes:
        percent: the highest figure of all.
        regain: seconds until access is regained; 0: it is not lost, or nothing is said.
    """

    percent: float = 0.0
    regain: float = 0.0

    def hold(self, otherwise: float) -> float:
        """Seconds in which no call should be made; 0 while there is quota left.

        Args:
            otherwise: seconds to wait where the quota is used up and no time is given.
        """
        if self.regain > 0:
            return min(self.regain, LONGEST_HOLD)
        return otherwise if self.percent >= STOP_AT else 0.0

    @property
    def part(self) -> float:
        """The part of the pace that it leaves."""
        return part_at(self.percent)


@dataclass(frozen=True, slots=True)
class Usage:
    """What the headers of one answer say.

    Attributes:
        app: of the app's quota, that all its pages share (``X-App-Usage``).
        page: of the page's own (``X-Business-Use-Case-Usage``, ``X-Page-Usage``).
    """

    app: Quota = field(default_factory=Quota)
    page: Quota = field(default_factory=Quota)

    @property
    def regain(self) -> float:
        """Seconds until access is regained, bounded; 0: nothing is said."""
        return min(max(self.app.regain, self.page.regain), LONGEST_HOLD)


def usage_of(headers: Mapping[str, str]) -> Usage:
    """Read the headers of an answer. What is missing or malformed counts as nothing used.

    Args:
        headers: by name in lower case.
    """
    if not (_APP in headers or _PAGE in headers or _BUSINESS in headers):
        return NOTHING
    app = max([0.0, *_figures(_parse(headers.get(_APP, "")))])
    percents, regains = [0.0, *_figures(_parse(headers.get(_PAGE, "")))], [0.0]
    if _BUSINESS in headers:
        for entry in _entries(_parse(headers[_BUSINESS])):
            regain = entry.pop(_REGAIN, 0)
            regains += [minutes * _MINUTE for minutes in _figures({_REGAIN: regain})]
            percents += _figures(entry)
    return Usage(Quota(app), Quota(max(percents), max(regains)))


NOTHING = Usage()


def _parse(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _entries(value: object) -> Iterator[dict[str, Any]]:
    """The objects for a business or page that limit messages; one without a type is taken to."""
    for group in value.values() if isinstance(value, dict) else ():
        for entry in group if isinstance(group, list) else ():
            if isinstance(entry, dict) and entry.get("type", "messenger") in _TYPES:
                yield dict(entry)


def _figures(value: object) -> list[float]:
    """Every number that is one; field names differ between hosts (SEND_API 5)."""
    if not isinstance(value, dict):
        return []
    found = [number for number in value.values() if isinstance(number, int | float) and not isinstance(number, bool)]
    return [float(min(number, 1e9)) for number in found if isinstance(number, int) or math.isfinite(number)]
