"""Graph's pages of a list: a limit, and cursors; there is no paging by time (SEND_API 8)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlencode

from sandbox.errors import Refused, invalid, known

USUAL_LIMIT = 25
MAX_LIMIT = 500
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Paging:
    """Which part of a list is asked for.

    Attributes:
        limit: at most so many.
        after: only what comes behind the item of this key in the list, newest first.
        before: only what comes ahead of it.
    """

    limit: int = USUAL_LIMIT
    after: str | None = None
    before: str | None = None

    @classmethod
    def of(cls, values: Mapping[str, object]) -> Paging:
        """Read ``limit``, ``after`` and ``before``.

        Raises:
            Refused: 100, one of them is of no use.
        """
        text = str(values.get("limit", USUAL_LIMIT))
        if not text.isascii() or not text.isdigit() or int(text) < 1:
            raise invalid("Param limit must be a positive number")
        return cls(min(int(text), MAX_LIMIT), _key(values.get("after")), _key(values.get("before")))

    def cut(self, items: Iterator[tuple[str, Item]]) -> tuple[list[tuple[str, Item]], bool]:
        """The part of the items, each with its key, and whether more come behind it."""
        chosen: list[tuple[str, Item]] = []
        behind = self.after is None
        for key, item in items:
            if self.before is not None and key == self.before:
                # The page just ahead of an item is the last so many of those that came.
                return chosen[-self.limit :], True
            if not behind:
                behind = key == self.after
                continue
            if len(chosen) == self.limit and self.before is None:
                return chosen, True
            chosen.append((key, item))
        return chosen[-self.limit :] if self.before is not None else chosen, False


def paged(rows: list[dict[str, object]], keys: list[str], address: str | None) -> dict[str, object]:
    """A list as Graph answers it.

    Args:
        rows: the items.
        keys: their keys.
        address: of the next page but for its cursor; None where there is none.
    """
    if not rows:
        return {"data": []}
    paging: dict[str, object] = {"cursors": {"before": cursor(keys[0]), "after": cursor(keys[-1])}}
    if address is not None:
        paging["next"] = f"{address}&{urlencode({'after': cursor(keys[-1])})}"
    return {"data": rows, "paging": paging}


def cursor(key: str) -> str:
    """A key as a cursor, of no meaning to the client."""
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def _key(given: object) -> str | None:
    if given in (None, ""):
        return None
    try:
        text = str(given)
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except (binascii.Error, ValueError) as error:
        raise Refused(known(100, None, "(#100) Invalid cursor")) from error
