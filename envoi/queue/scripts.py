"""The Lua scripts: read from their files, put together with the parts they use, known by their hash."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_USE = re.compile(r"^-- use: (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Script:
    """One script as Redis runs it.

    Attributes:
        name: its file's name without the ending.
        text: the parts it uses, then the file itself.
        sha: what EVALSHA calls it by; versions of a script live side by side in one Redis.
    """

    name: str
    text: str
    sha: str


@cache
def script(name: str) -> Script:
    """The script in ``lua/<name>.lua``."""
    body = _read(name)
    uses = _USE.search(body)
    parts = [_read(part) for part in uses[1].split()] if uses else []
    text = "\n".join(["local K = KEYS[1]", *parts, body])
    return Script(name, text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


def _read(name: str) -> str:
    return (files(__package__) / "lua" / f"{name}.lua").read_text(encoding="utf-8")
