"""A page's token or an app's secret, from standard input: never an argument, which other users could read."""

from __future__ import annotations

import getpass
import sys

import typer
from pydantic import SecretStr

_LONGEST = 4096  # characters; real ones have some 200


def read_token() -> SecretStr:
    """Read a page's token, as :func:`read_secret` does."""
    return read_secret("token")


def read_secret(what: str) -> SecretStr:
    """Read a secret: from a pipe or a file, or, at a terminal, without echo.

    Raises:
        typer.BadParameter: it is empty, or could not travel in an HTTP header, as a token must. It is not repeated.
    """
    text = _typed(what) if sys.stdin is not None and sys.stdin.isatty() else _piped()
    if not text:
        raise _refused(f"the {what} is empty")
    if len(text) > _LONGEST:
        raise _refused(f"the {what} has more than {_LONGEST} characters")
    if not all("!" <= character <= "~" for character in text):
        raise _refused(f"the {what} must be printable ASCII without spaces, on one line")
    return SecretStr(text)


def _typed(what: str) -> str:
    return getpass.getpass(f"{what.capitalize()} (not shown): ")


def _piped() -> str:
    if sys.stdin is None:
        return ""
    # A byte that is not ASCII becomes a character that is refused.
    text = sys.stdin.buffer.read(_LONGEST + 3).decode("ascii", "replace")
    return text.removesuffix("\n").removesuffix("\r")


def _refused(what: str) -> typer.BadParameter:
    return typer.BadParameter(what, param_hint="standard input")
