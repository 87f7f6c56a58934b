"""Versions of the Graph API and their ends (SEND_API 1; confidence: likely). A version lives about two years."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

SOON = timedelta(days=90)  # so long before its end a version is warned of


@dataclass(frozen=True, slots=True)
class Version:
    """One version.

    Attributes:
        since: when it came out; None: the sheet does not say.
        until: its end; None: the sheet names none yet.
    """

    name: str
    since: date | None
    until: date | None


VERSIONS = (
    Version("v20.0", None, date(2026, 9, 24)),
    Version("v21.0", date(2024, 10, 2), None),
    Version("v22.0", date(2025, 1, 21), None),
    Version("v23.0", date(2025, 5, 29), None),
    Version("v24.0", date(2025, 10, 8), date(2028, 2, 18)),
    Version("v25.0", date(2026, 2, 18), date(2028, 7, 29)),
    Version("v26.0", date(2026, 7, 29), None),
)
_BY_NAME = {version.name: version for version in VERSIONS}
_OLDEST, _NEWEST = VERSIONS[0], VERSIONS[-1]


def warning_about(name: str, today: date) -> str | None:
    """What an operator should know of a version; None: nothing.

    Args:
        name: as ``ENVOI_GRAPH_VERSION`` has it.
        today: the date by which it is judged.
    """
    known = _BY_NAME.get(name)
    if known is None:
        if _number(name) < _number(_OLDEST.name):
            return f"Graph API {name} has ended: set ENVOI_GRAPH_VERSION to a newer one, such as {_NEWEST.name}"
        return f"Graph API {name} is not known to this version of Envoi: its end is not watched"
    if known.until and known.until <= today:
        return f"Graph API {name} has ended on {known.until}: set ENVOI_GRAPH_VERSION to a newer one"
    if known.until and known.until - today <= SOON:
        return f"Graph API {name} ends on {known.until}: set ENVOI_GRAPH_VERSION to a newer one before"
    return None


def _number(name: str) -> float:
    return float(name.removeprefix("v"))
