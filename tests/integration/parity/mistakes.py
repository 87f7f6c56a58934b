"""One change to a document: to a value just within its limit, just beyond it, of another type, left out, or added."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.integration.parity.schema import Path, Site
from tests.integration.parity.sides import Document

_DEEP: Any = json.loads('{"x":' * 20 + "7" + "}" * 20)
OTHER_TYPES: tuple[Any, ...] = (None, True, 7, 1.5, "", "x", [], ["x"], {}, {"x": "y"}, [[]], [None], _DEEP)
_SPECIAL_TEXTS = ("\x00", "a\x00b", "\ud800", "\ud800\udc00", " ", "é", "\U0001f600" * 3, "https://example.com/ü")


@dataclass(frozen=True)
class Change:
    """What is done to a document, and where."""

    path: Path
    value: Any = None
    leave_out: bool = False

    def applied(self, document: Document) -> Document:
        """A changed copy; the place must be there."""
        changed = copy.deepcopy(document)
        where: Any = changed
        for step in self.path[:-1]:
            where = where[step]
        if self.leave_out:
            del where[self.path[-1]]
        else:
            where[self.path[-1]] = copy.deepcopy(self.value)
        return changed


def changes(site: Site) -> Iterator[Change]:
    """Every change that is tried at a place."""
    if isinstance(site.value, dict):
        yield Change((*site.path, "unheard_of"), "x")
    if not site.path:
        return
    yield Change(site.path, leave_out=True)
    for value in (*OTHER_TYPES, *_at_the_limits(site)):
        yield Change(site.path, value)


def _at_the_limits(site: Site) -> Iterator[Any]:
    schema, value = site.schema, site.value
    if isinstance(value, str):
        yield from _texts(schema, value)
    elif isinstance(value, list) and value:
        for size in {schema.get("minItems", 0), schema.get("maxItems", 100)}:
            for length in (size - 1, size, size + 1):
                yield (value * (length // len(value) + 1))[: max(0, length)]
    elif isinstance(value, int | float) and not isinstance(value, bool):
        low, high = schema.get("minimum", -(10**12)), schema.get("maximum", 10**12)
        yield from (low - 1, low, high, high + 1, 10**400, -0.5)


def _texts(schema: dict[str, Any], value: str) -> Iterator[str]:
    yield from _SPECIAL_TEXTS
    for size in (schema.get("minLength"), schema.get("maxLength")):
        for length in () if size is None else (size - 1, size, size + 1):
            yield "w" * length
            yield "é" * length
            yield (value * (length // max(1, len(value)) + 1))[:length]
    if "pattern" in schema or "allOf" in schema:
        yield from (value + " ", " " + value, value + "\n", value[:-1], value + value, "٣", value * 64)
    if "enum" in schema or "const" in schema:
        yield from (value.lower(), value.upper(), value + "x")
