"""For docs/send-api.md: every field of every object that ``send`` takes, from the JSON schema of a job."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from envoi.fields import FURTHEST, ON_OUTCOME, TYPING_LONGEST
from envoi.ids import JOB_ID
from envoi.job import REPLY_LIMIT, Job
from envoi.sendapi.parameters import SEND_API
from envoi.sendapi.part import URL_LIMIT

_Schema = dict[str, Any]
_SCHEMA: _Schema = Job.model_json_schema()
_DEFS: dict[str, _Schema] = _SCHEMA["$defs"]

# What a pattern asks for, in words.
_PATTERNS = {
    r"^[A-Za-z0-9_.-]{1,64}$": "1 to 64 letters, digits, `_`, `.` or `-`",
    r"^[0-9]{1,64}$": "1 to 64 digits, as a string",
    r"^[0-9]{1,64}(_[0-9]{1,64}){0,2}$": "digits, with `_` between its parts",
    r"^\+?[0-9() .-]{5,32}$": "a number such as +1(212)555-2368, 5 to 32 characters",
    r"^\+[0-9]{4,20}$": "`+`, then 4 to 20 digits",
    r"^(?i:https?)://[^\s\x00]+$": f"an address, http or https, at most {URL_LIMIT} characters",
    r"^(?i:https?)://([A-Za-z0-9-]+\.)*facebook\.com/": "an address of facebook.com",
    r"^[A-Z]{3}$": "3 capital letters, such as EUR",
    r"^[0-9]{1,10}$": "seconds since 1970, 1 to 10 digits as a string",
    r"^[A-Za-z0-9_]{1,80}$": "1 to 80 letters, digits and `_`",
    r"^[A-Za-z_-]{2,16}$": "a language such as en_US",
    ON_OUTCOME: "`celery:TASK`, `celery:TASK@QUEUE` or `stream:NAME`",
    rf"^{JOB_ID.pattern}$": "the id of a job",
    r"^[^\x00]*$": "at most 1000 characters, may be empty",
}
# Fields whose types are checked by hand: the schema does not know them.
_BY_HAND = {
    "typing": f'True, False, "auto", or seconds: more than 0, at most {TYPING_LONGEST:g}',
    "at": f"an aware datetime, at most {FURTHEST.days} days ahead",
    "expires_at": f"an aware datetime, at most {FURTHEST.days} days ahead, later than `at`",
    "commented_at": f"an aware datetime, at most {REPLY_LIMIT.days} days before the private reply",
    "template": "object: utility template",
}
_AMOUNTS = ("amount", "price", "total_cost", "subtotal", "shipping_cost", "total_tax")
_NAMES = {
    "UtilityTemplate": "Utility template (`message.template`, or `template` at the top)",
    "MediaPayload": "Media",
    "UnknownTemplate": "",  # anything may be in it
    "TemplateAttachment": "Attached template",
    "ImageAttachment": "One of several images",
    "MediaAttachment": "Attached media",
}


def field_tables() -> str:
    """A table for each object, the job's own first."""
    own = {name: schema for name, schema in _SCHEMA["properties"].items() if name not in SEND_API}
    parameters = {name: schema for name, schema in _SCHEMA["properties"].items() if name in SEND_API}
    required = set(_SCHEMA["required"])
    parts = [
        _table("Delivery options", {"properties": own, "required": required}),
        _table("Send API parameters", {"properties": parameters, "required": required}),
    ]
    parts += [_table(_title(name), schema) for name, schema in _DEFS.items() if _title(name)]
    return "\n".join(parts)


def _title(name: str) -> str:
    if name in _NAMES:
        return _NAMES[name]
    spaced = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()
    return spaced[0].upper() + spaced[1:]


def _table(title: str, schema: _Schema) -> str:
    required = schema.get("required", ())
    rows = [f"| `{name}` | {'yes' if name in required else ''} | {_limit(name, one)} |" for name, one in
            schema["properties"].items()]  # fmt: skip
    return "\n".join([f"**{title}**\n", "| field | required | what it takes |", "|---|---|---|", *rows, ""])


def _limit(name: str, schema: _Schema) -> str:
    found = " or ".join(dict.fromkeys(_kinds(name, schema)))
    default = schema.get("default")
    return found if default in (None, True, False) else f"{found}; default `{default}`"


def _kinds(name: str, schema: _Schema) -> Iterator[str]:
    """What a field takes, one text for each kind of value."""
    if "$ref" in schema:
        title = schema["$ref"].rpartition("/")[2]
        yield "any other template, with `allow_unknown`" if title == "UnknownTemplate" else f"object: {_plain(title)}"
    elif "anyOf" in schema or "oneOf" in schema:
        for kind in schema.get("anyOf") or schema["oneOf"]:
            if kind.get("type") != "null":
                yield from _kinds(name, kind)
    elif schema.get("type") == "null":
        yield "not supported by this version"
    elif name in _BY_HAND:
        yield _BY_HAND[name]
    elif "enum" in schema or "const" in schema:
        yield ", ".join(f"`{value}`" for value in schema.get("enum") or [schema["const"]])
    elif name == "buttons":
        yield f"list of {_range(schema, 'Items')} buttons"
    elif schema.get("type") == "array":
        inner = " or ".join(dict.fromkeys(_kinds(name, schema["items"])))
        yield f"list of {_range(schema, 'Items')} of: {inner}"
    else:
        yield _simple(name, schema)


def _simple(name: str, schema: _Schema) -> str:
    patterns = [part["pattern"] for part in (*schema.get("allOf", ()), schema) if "pattern" in part]
    if patterns:
        return ", ".join(_PATTERNS[pattern] for pattern in patterns)
    if schema.get("type") == "string":
        return f"text, {_range(schema, 'Length')} characters"
    if schema.get("type") == "boolean":
        return "True or False"
    if schema.get("type") == "integer":
        return f"a whole number, {schema['minimum']} to {schema['maximum']}"
    return "a number of moderate size" if name in _AMOUNTS else "an object of plain JSON"


def _range(schema: _Schema, what: str) -> str:
    least, most = schema.get(f"min{what}", 0), schema[f"max{what}"]
    return str(most) if least == most else f"{least} to {most}"


def _plain(title: str) -> str:
    name = _title(title).partition(" (")[0]
    return name[0].lower() + name[1:]
