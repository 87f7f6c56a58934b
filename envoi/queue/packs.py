"""Packs: what a trip's commands are sent as, and what their answers come back as.

Commands of every message go many in one script, `trip` (lua/trip.lua), since each script costs Redis much before it
does anything. Where nobody has loaded that script the gate is shut, and each goes as its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from envoi.queue.commands import Command
from envoi.queue.scripts import script
from envoi.queue.together import Words
from envoi.settings import Settings

_LEAST = 2  # commands that a pack is worth while for
_MOST = 64  # commands in a pack: nobody else is served meanwhile, some 30 µs each
_OF_EVERY_MESSAGE = frozenset({"claim", "begin", "done"})

Pack = tuple[Words, int]  # what Redis is sent, and how many commands it answers with one list: 0, if it is one's own


def packs_of(commands: Sequence[Command], settings: Settings, base: str) -> list[Pack]:
    """The packs that answer the commands, in their order, in an open queue."""
    packs: list[Pack] = []
    together: list[Command] = []
    for command in commands:
        if command.script not in _OF_EVERY_MESSAGE or len(together) == _MOST:
            packs += _pack_of(together, settings, base)
            together = []
        if command.script in _OF_EVERY_MESSAGE:
            together.append(command)
        else:
            packs.append(_own_pack(command, settings, base))
    return packs + _pack_of(together, settings, base)


def shut_packs_of(commands: Sequence[Command], settings: Settings, base: str) -> list[Pack]:
    """The same while the gate is shut: each by the text that knows of it. Those that have none do not run."""
    return [_shut_pack(command, settings, base) for command in commands]


def answers_of(packs: Sequence[Pack], replies: Sequence[Any]) -> list[Any]:
    """The answer to each command; an error of a whole pack is that of all its commands."""
    answers: list[Any] = []
    for (_, count), reply in zip(packs, replies, strict=True):
        if count == 0:
            answers.append(reply)
        else:
            answers += [reply] * count if isinstance(reply, Exception) else reply
    return answers


def _pack_of(commands: Sequence[Command], settings: Settings, base: str) -> list[Pack]:
    if len(commands) < _LEAST:
        return [_own_pack(command, settings, base) for command in commands]
    words: list[str | bytes | int | float] = ["EVALSHA", script("trip").sha, 1, base]
    for command in commands:
        args = command.args(settings)
        words += (command.script, len(args), *args)
    return [(tuple(words), len(commands))]


def _own_pack(command: Command, settings: Settings, base: str) -> Pack:
    return ("EVALSHA", script(command.script).sha, 1, base, *command.args(settings)), 0


def _shut_pack(command: Command, settings: Settings, base: str) -> Pack:
    text = script(command.script).shut_text
    if text is None:
        return _own_pack(command, settings, base)
    return ("EVAL", text, 1, base, *command.args(settings)), 0
