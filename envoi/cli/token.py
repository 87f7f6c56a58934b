"""A page's token, as standard input gives it: never an argument, which other users of the machine could read."""

from __future__ import annotations

import getpass
import sys

import typer
from pydantic import SecretStr

_LONGEST = 4096  # characters; real ones have some 200


def read_token() -> SecretStr:
    """Read the token: from a pipe or a file, or, at a terminal, without echo.

    Raises:
        typer.BadParameter: it is empty, or no token: it would have to travel in an HTTP header. It is not repeated.
    """
    text = _typed() if sys.stdin is not None and sys.stdin.isatty() else _piped()
    if not text:
        raise _refused("the token is empty")
    if len(text) > _LONGEST:
        raise _refused(f"the token has more than {_LONGEST} characters")
    if not all("!" <= character <= "~" for character in text):
        raise _refused("the token must be printable ASCII without spaces, on one line")
    return SecretStr(text)


def _typed() -> str:
    return getpass.getpass("Token (not shown): ")


def _piped() -> str:
    if sys.stdin is None:
        return ""
    # A byte that is not ASCII becomes a character that is refused.
    text = sys.stdin.buffer.read(_LONGEST + 3).decode("ascii", "replace")
    return text.removesuffix("\n").removesuffix("\r")


def _refused(what: str) -> typer.BadParameter:
    return typer.BadParameter(what, param_hint="standard input")
