"""Documents that hold everything a job may hold: one for each choice that the schema leaves."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

from tests.integration.parity.schema import COMPANIONS, ONE_OF, Schema, by_hand, options, text_for
from tests.integration.parity.sides import Document


def full_values(schema: Schema, name: str | int = "") -> list[Any]:
    """Values with every field that may be given, one for each kind, and for each field that excludes others."""
    return [value for kind in options(schema) or [{}] for value in _of_kind(kind, name)]


def _of_kind(schema: Schema, name: str | int) -> list[Any]:
    if "const" in schema or "enum" in schema:
        return list(schema.get("enum") or [schema["const"]])
    if "properties" in schema:
        return list(_objects(schema))
    if "items" in schema:
        return list(_lists(schema, name))
    simple = {"string": text_for(schema), "boolean": True, "integer": schema.get("minimum", 1)}
    return [simple[schema["type"]] if schema.get("type") in simple else by_hand(name)]


def _lists(schema: Schema, name: str | int) -> Iterator[list[Any]]:
    """As many lists as it takes to hold every kind of element once, within the bound on their number."""
    least, most = max(1, schema.get("minItems", 0)), schema.get("maxItems", 100)
    items = full_values(schema["items"], name)
    for first in range(0, len(items), most):
        some = items[first : first + most]
        yield some if len(some) >= least else some * least


def _objects(schema: Schema) -> Iterator[Document]:
    """Objects that between them hold every value of every field."""
    title = schema["title"]
    excluding = ONE_OF.get(title, ())
    if not excluding:
        yield from _with_fields(schema, tuple(schema["properties"]))
    for chosen in excluding:
        companions = COMPANIONS.get(title, {})
        others = [name for name in schema["properties"] if name not in excluding]
        fitting = [name for name in others if name not in companions or chosen in companions[name]]
        yield from _with_fields(schema, (chosen, *fitting))


def _with_fields(schema: Schema, names: tuple[str, ...]) -> Iterator[Document]:
    values = {name: full_values(schema["properties"][name], name) for name in names}
    for turn in range(max(len(found) for found in values.values())):
        yield {name: found[turn % len(found)] for name, found in values.items()}


def combinations(parts: dict[str, list[Any]]) -> Iterator[Document]:
    """Every document that takes one of the values for each parameter; None leaves it out."""
    for values in product(*parts.values()):
        yield {name: value for name, value in zip(parts, values, strict=True) if value is not None}
