"""A request as it came over the wire, in whatever encoding, made one (SEND_API 1)."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn
from urllib.parse import parse_qsl

from sandbox.errors import Refused, invalid
from sandbox.multipart import File, read_multipart

# In a query or a form each parameter is a string, and these hold JSON text (SEND_API 1, Encodings).
OBJECTS = ("recipient", "message", "payload", "reply_to", "template")
MAX_PARAMETERS = 1000
_VERSION = re.compile(r"v\d{1,3}\.\d{1,2}", re.ASCII)  # v2.11 was one
_SINGLE_QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Target:
    """What a path names: ``/[version/]node[/edge]``; ``node`` is a page id or ``me``."""

    version: str | None
    node: str
    edge: str | None

    @classmethod
    def of(cls, path: str) -> Target:
        """Take a path apart; a path of more parts names an edge that does not exist."""
        parts = path.strip("/").split("/")
        version = parts.pop(0) if _VERSION.fullmatch(parts[0]) else None
        node = parts.pop(0) if parts else ""
        return cls(version, node, "/".join(parts) or None)


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of a request, whichever way each of them came.

    Attributes:
        values: by name; a body's value goes before the query's (facts silent: the body is the more deliberate place).
        token: from the body, the query, or the ``Authorization: Bearer`` header, in this order.
        malformed: why a part of the request could not be read, if so. Told only after the token check (SEND_API 11.3).
        files: files of a multipart body.
    """

    values: Mapping[str, object]
    token: str | None
    malformed: Refused | None
    files: Sequence[File] = ()


def read_parameters(query: bytes, content_type: str, authorization: str, body: bytes) -> Parameters:
    """Read the parameters out of the query string, a form or JSON body, and the Authorization header."""
    values: dict[str, object] = {}
    malformed: Refused | None = None
    files: list[File] = []
    try:
        values.update(_form(query))
    except Refused as refused:
        malformed = refused
    try:
        fields, files = _read_body(content_type, body)
        values.update(fields)
    except Refused as refused:
        malformed = refused
    for name in OBJECTS:
        value = values.get(name)
        if isinstance(value, str):
            values[name] = _object_of(value)
    token = values.pop("access_token", None)
    scheme, _, bearer = authorization.partition(" ")
    if not token and scheme.lower() == "bearer":
        token = bearer.strip()
    return Parameters(values, token if isinstance(token, str) else None, malformed, files)


def _read_body(content_type: str, body: bytes) -> tuple[dict[str, object], list[File]]:
    kind = content_type.partition(";")[0].strip().lower()
    if not body:
        return {}, []
    if kind == "application/json":
        return _json(body), []
    if kind in ("application/x-www-form-urlencoded", ""):
        return _form(body), []
    if kind == "multipart/form-data":
        return read_multipart(content_type, body)
    raise invalid(f"Unsupported content type {kind[:100]!a}")


def _form(text: bytes) -> dict[str, object]:
    try:
        pairs = parse_qsl(text.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS)
    except ValueError as error:  # not UTF-8, before or after decoding, or too many fields
        raise invalid("The parameters must be a URL-encoded form in UTF-8") from error
    return dict(pairs)


def _json(text: bytes) -> dict[str, object]:
    try:
        value = _strict_json(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise invalid("The body is not valid JSON in UTF-8") from error
    if not isinstance(value, dict):
        raise invalid("The body must be a JSON object")
    return value


def _strict_json(text: str) -> object:
    value: object = json.loads(text, parse_constant=_no_constant, parse_float=_finite)
    return value


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):  # 1e999: no JSON we write could hold it
        raise ValueError("a number out of range")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _object_of(text: str) -> object:
    """The object in a parameter's text; text that holds none stays text, for the checks to refuse by name.

    Meta's own samples write the object with single quotes. Whether the server reads that is unproven (SEND_API 1); the
    French reference, our authority, shows it as its one example, so it is read here.
    """
    for candidate in (text, _SINGLE_QUOTED.sub(_double_quoted, text) if text.lstrip().startswith("{'") else None):
        if candidate is None:
            continue
        try:
            return _strict_json(candidate)
        except (ValueError, RecursionError):
            continue
    return text


def _double_quoted(match: re.Match[str]) -> str:
    inside = match[1].replace("\\'", "'").replace('"', '\\"')
    return f'"{inside}"'
