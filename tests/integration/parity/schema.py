"""Right and wrong values, from the JSON schema of a job itself: a new field or limit is tried without being named here.

What the schema cannot say (which fields exclude each other) is said by :data:`ONE_OF` and :data:`COMPANIONS`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from envoi import Job
from envoi.sendapi.message import CONTENTS
from envoi.sendapi.recipient import KINDS
from tests.integration.parity.sides import SAVED_MEDIA

Schema = dict[str, Any]
Path = tuple[str | int, ...]

JOB: Schema = Job.model_json_schema()
PARAMETERS = (
    "recipient", "message", "messaging_type", "notification_type", "tag", "persona_id", "reply_to"
)  # fmt: skip  # what goes to the Send API

# Of these fields of a model exactly one is given.
ONE_OF: dict[str, tuple[str, ...]] = {
    "Recipient": KINDS,
    "Message": CONTENTS,
    "MediaPayload": ("url", "attachment_id"),
    "MediaElement": ("attachment_id", "url"),
    "ImageGridTemplate": ("images", "elements"),
}
# Fields that only go with some of these others.
COMPANIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "Recipient": {"name": ("phone_number",)},
    "Message": {"quick_replies": ("text", "attachment", "attachments")},
}
# A value for each pattern; a pattern that none of them fits fails the test that meets it.
_SAMPLES = (
    SAVED_MEDIA, "https://www.facebook.com/photo/1", "7001_12", "+1(212)555-2368", "+15551234567", "EUR", "1428444852",
    "q_1", "en_US", "https://example.com/x", "",
)  # fmt: skip  # a table
# Fields whose type is checked by hand, so that the schema knows nothing of it.
_BY_HAND: dict[str, Any] = {
    "price": 12.5, "amount": -5, "total_cost": 56.14, "subtotal": 75, "shipping_cost": 4.95, "total_tax": 0,
    "game_metadata": {"player_id": "7"}, "images": {"url": "https://example.com/x"}, "components": {"type": "body"},
    "elements": {"url": "https://example.com/x"},
}  # fmt: skip  # a table


def model_of(schema: Schema) -> Schema:
    """The schema behind a reference."""
    return model_of(JOB["$defs"][schema["$ref"].rpartition("/")[2]]) if "$ref" in schema else schema


def options(schema: Schema) -> list[Schema]:
    """Every kind of value that a schema takes, but null and the template that is passed through."""
    schema = model_of(schema)
    kinds = schema.get("anyOf") or schema.get("oneOf")
    if kinds is None:
        return [] if schema.get("type") == "null" or schema.get("title") == "UnknownTemplate" else [schema]
    return [option for kind in kinds for option in options(kind)]


def text_for(schema: Schema) -> str:
    """A text that fits."""
    patterns = [schema["pattern"]] if "pattern" in schema else [part["pattern"] for part in schema.get("allOf", ())]
    if not patterns:
        return "words"[: schema.get("maxLength", 5)]
    return next(text for text in _SAMPLES if all(re.search(pattern, text) for pattern in patterns))


def by_hand(name: str | int) -> Any:
    """A value for a field of whose type the schema says nothing."""
    return _BY_HAND[str(name)]


@dataclass(frozen=True)
class Site:
    """A place in a document, and what its schema says of it."""

    path: Path
    schema: Schema
    value: Any


def sites(value: Any, schema: Schema, path: Path = ()) -> Iterator[Site]:
    """Every place in a document that fits the schema, the document itself first."""
    kinds = options(schema)
    schema = next((kind for kind in kinds if _fits(value, kind)), {}) if len(kinds) != 1 else kinds[0]
    yield Site(path, schema, value)
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from sites(inner, schema.get("properties", {}).get(name, {}), (*path, name))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from sites(inner, schema.get("items", {}), (*path, place))


def _fits(value: Any, schema: Schema) -> bool:
    """Whether this is the kind of object that the value is: by the fields that choose it."""
    if not isinstance(value, dict) or "properties" not in schema:
        return not isinstance(value, dict) and "properties" not in schema
    for name in ("type", "template_type"):
        chooser = schema["properties"].get(name)
        if chooser is not None:
            return value.get(name) in (chooser.get("enum") or [chooser.get("const")])
    return True
