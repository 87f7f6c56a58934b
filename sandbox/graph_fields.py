"""Graph's ``fields`` parameter: names, with arguments and fields of their own (SEND_API 8, field expansion)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.errors import Refused, known

_NAME = re.compile(r"[a-z_]+", re.ASCII)
_ARGUMENT = re.compile(r"\.([a-z_]+)\(([^()]*)\)", re.ASCII)
_SYNTAX = 2500
_MAX_DEPTH = 5


@dataclass(frozen=True, slots=True)
class Field:
    """One field asked for: ``messages.limit(10){id,from}``.

    Attributes:
        name: of the field.
        arguments: as text, by name.
        fields: of what it holds; empty where none are named.
    """

    name: str
    arguments: Mapping[str, str] = field(default_factory=dict)
    fields: tuple[Field, ...] = ()


def read_fields(text: object, usual: str) -> tuple[Field, ...]:
    """The fields that a parameter names, or the usual ones where it is missing.

    Raises:
        Refused: 2500, it cannot be read. Graph's words are known, its code for this is likely.
    """
    if text in (None, ""):
        text = usual
    if not isinstance(text, str):
        raise _unreadable("a string expected", 0, "")
    fields, end = _list(text, 0, 0)
    if end != len(text):
        raise _unreadable("Expected end of string", end, text)
    return fields


def check_names(fields: tuple[Field, ...], names: Mapping[str, object], node: str) -> None:
    """Refuse a field that the node does not have.

    Raises:
        Refused: 100, in Graph's words.
    """
    for asked in fields:
        if asked.name not in names:
            raise Refused(known(100, None, f"(#100) Tried accessing nonexisting field ({asked.name}) on {node}"))


def _list(text: str, at: int, depth: int) -> tuple[tuple[Field, ...], int]:
    if depth > _MAX_DEPTH:
        raise _unreadable("Too deep", at, text)
    found: dict[str, Field] = {}
    while True:
        one, at = _field(text, at, depth)
        found[one.name] = one
        if text[at : at + 1] != ",":
            return tuple(found.values()), at
        at += 1


def _field(text: str, at: int, depth: int) -> tuple[Field, int]:
    while text[at : at + 1].isspace():
        at += 1
    name = _NAME.match(text, at)
    if name is None:
        raise _unreadable("Expected name", at, text)
    at = name.end()
    arguments: dict[str, str] = {}
    while argument := _ARGUMENT.match(text, at):
        arguments[argument[1]] = argument[2]
        at = argument.end()
    fields: tuple[Field, ...] = ()
    if text[at : at + 1] == "{":
        fields, at = _list(text, at + 1, depth + 1)
        if text[at : at + 1] != "}":
            raise _unreadable('Expected "}"', at, text)
        at += 1
    while text[at : at + 1].isspace():
        at += 1
    return Field(name[0], arguments, fields), at


def _unreadable(why: str, at: int, text: str) -> Refused:
    return Refused(known(_SYNTAX, None, f"(#{_SYNTAX}) Syntax error {why!a} at character {at}: {text[:200]}"))
