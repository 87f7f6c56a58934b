"""The Send API's own objects as a command gets them: JSON in an argument, or on standard input."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import Any

import typer

_LONGEST = 1_048_576  # bytes on standard input; a job may hold an eighth of it, but JSON may spell it with escapes


def recipient_of(text: str) -> str | dict[str, Any]:
    """A recipient: JSON where it begins with a brace, else a page-scoped id.

    Raises:
        typer.BadParameter: it begins with a brace and is no JSON object.
    """
    return object_of(text, "RECIPIENT") if text.lstrip().startswith("{") else text


def moment_of(text: str) -> datetime:
    """A time: ISO 8601, with its zone. Whoever types it may not sit where the command runs.

    Raises:
        typer.BadParameter: it is none, or says no zone.
    """
    found = _moment(text)
    if found.tzinfo is None:
        raise typer.BadParameter("must say its zone, as in 2026-01-31T12:00:00+01:00 or 2026-01-31T11:00:00Z")
    return found


def utc_moment_of(text: str) -> datetime:
    """A time: ISO 8601, in UTC where it says no zone.

    Raises:
        typer.BadParameter: it is none.
    """
    found = _moment(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def message_of(text: str) -> dict[str, Any]:
    """A message: JSON; ``-`` stands for standard input.

    Raises:
        typer.BadParameter: it is no JSON object.
    """
    return object_of(_piped() if text == "-" else text, "--message")


def object_of(text: str, hint: str) -> dict[str, Any]:
    """A JSON object. What it may hold is for the door to say.

    Raises:
        typer.BadParameter: it is none; names ``hint``, and the place where the text stops being JSON.
    """
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise _refused(
            f"is no JSON at line {error.lineno}, column {error.colno}: {error.msg.removesuffix(' starting at')}", hint
        ) from None
    except (RecursionError, ValueError):  # nested thousands deep, or an integer of thousands of digits
        raise _refused(
            "is no JSON that could be read: it is nested too deeply, or holds too long a number", hint
        ) from None
    if not isinstance(found, dict):
        raise _refused('must be a JSON object, such as {"text": "hello"}', hint)
    return found


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("must be ISO 8601, for instance 2026-01-31T12:00:00+01:00") from None


def _piped() -> str:
    if sys.stdin is None:
        return ""
    read = sys.stdin.buffer.read(_LONGEST + 1)
    if len(read) > _LONGEST:
        raise _refused(f"has more than {_LONGEST} bytes", "standard input")
    try:
        return read.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _refused(f"is not UTF-8 at byte {error.start}", "standard input") from None


def _refused(what: str, hint: str) -> typer.BadParameter:
    return typer.BadParameter(what, param_hint=hint)
