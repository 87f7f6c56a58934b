"""The Lua scripts: read from their files, put together with the parts they use, known by their hash.

Each script has two texts. The *open* one is loaded by the scheduler that has looked the queue over, and by nobody
else; a restart of Redis forgets it. Where it is missing, clients run the *shut* one, which knows that Redis may have
lost its last moments and that nothing is begun now. ``GATED`` scripts have no shut text: without the gate they do not
run. So the hot path pays nothing for the question whether Redis has restarted (docs/decisions).
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

# Of what is kept in Redis (envoi/queue/protocol.py). Raised by a change that the version before can live with, and that
# the one before it could not; a job that older workers must leave alone needs a new FORMAT in lua/job.lua instead.
PROTOCOL = 1
GATED = frozenset({"claim", "clear", "tick", "trip", "cancel", "look", "looked", "reschedule"})
ALL = (
    "begin",
    "begun",
    "called",
    "cancel",
    "claim",
    "clear",
    "conversation",
    "done",
    "enqueue",
    "erase",
    "fact",
    "glance",
    "hold",
    "known",
    "look",
    "looked",
    "nolook",
    "optout",
    "page",
    "reassert",
    "renew",
    "reschedule",
    "reuse",
    "status",
    "suspect",
    "tick",
    "trip",
    "webhook",
)
# What puts back what Redis lost (envoi/recovery): run by its shut text only, and never loaded with the others.
MENDING = ("missing", "recover", "remember")

_USE = re.compile(r"^-- use: (.+)$", re.MULTILINE)
_RUNS = re.compile(r"^-- runs: (.+)$", re.MULTILINE)
_FUNCTION = re.compile(r"^local function (\w+).*?^end$\n?", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"--.*$", re.MULTILINE)
_WORD = re.compile(r"\w+")
_EMPTY_LINES = re.compile(r"\n\s*\n")


@dataclass(frozen=True, slots=True)
class Script:
    """One script as Redis runs it.

    Attributes:
        name: its file's name without the ending.
        text: the open text: the parts it uses, then the file itself.
        sha: what EVALSHA calls the open text by; versions of a script live side by side in one Redis.
        shut_text: what is run while the gate is shut; None for a gated script.
    """

    name: str
    text: str
    sha: str
    shut_text: str | None


@cache
def script(name: str) -> Script:
    """The script in ``lua/<name>.lua``."""
    body = _read(name)
    parts = [_read(part) for part in _named(_USE, body)]
    heads = (f"local K, OPEN, PROTOCOL = KEYS[1], {is_open}, {PROTOCOL}" for is_open in ("true", "false"))
    runs = _runs(body)
    whole = _spared("\n".join([*runs[:1], *parts, *runs[1:], body]))
    text, shut = (f"{head}\n{whole}" for head in heads)
    sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    return Script(name, text, sha, None if name in GATED else shut)


def _named(what: re.Pattern[str], body: str) -> list[str]:
    found = what.search(body)
    return found[1].split() if found else []


def _runs(body: str) -> list[str]:
    """What comes before the parts of a script that runs others, and these as its functions.

    Its parts take for ARGV that of the script that runs.
    """
    names = _named(_RUNS, body)
    functions = [f"scripts.{name} = function()\n{_read(name)}\nend" for name in names]
    return ["local ALL, ARGV, scripts = ARGV, nil, {}", *functions] if names else []


def _spared(text: str) -> str:
    """A script without its comments, and without the functions of its parts that it has no use for.

    Each run of a script makes all its functions anew, and they are the smaller part of what a shut text would carry
    to Redis each time.
    """
    text = _COMMENT.sub("", text)
    while (fewer := _without_unused(text)) != text:
        text = fewer
    return _EMPTY_LINES.sub("\n", text)


def _without_unused(text: str) -> str:
    words = Counter(_WORD.findall(text))
    return _FUNCTION.sub(lambda found: "" if words[found[1]] == 1 else found[0], text)


def _read(name: str) -> str:
    return (files(__package__) / "lua" / f"{name}.lua").read_text(encoding="utf-8")
