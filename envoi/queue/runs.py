"""Runs of scripts: what a trip's commands are sent as, and what their answers come back as.

Commands of every message go many in one run of `trip` (lua/trip.lua), since a run costs Redis much before it does
anything. Where nobody has loaded that script the gate is shut, and each goes as its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from envoi.queue.commands import Command
from envoi.queue.scripts import script
from envoi.queue.together import Words
from envoi.settings import Settings

_LEAST = 2  # commands that one run is worth while for
_MOST = 16  # commands in one run: nobody else is served meanwhile, some 40 µs each
_OF_EVERY_MESSAGE = frozenset({"claim", "begin", "done"})

Run = tuple[Words, int]  # what Redis is sent, and how many commands it answers with one list: 0, if it is one's own


def runs_of(commands: Sequence[Command], settings: Settings, base: str) -> list[Run]:
    """The runs that answer the commands, in their order, in an open queue."""
    runs: list[Run] = []
    together: list[Command] = []
    for command in commands:
        if command.script not in _OF_EVERY_MESSAGE or len(together) == _MOST:
            runs += _run_of(together, settings, base)
            together = []
        if command.script in _OF_EVERY_MESSAGE:
            together.append(command)
        else:
            runs.append(_own_run(command, settings, base))
    return runs + _run_of(together, settings, base)


def shut_runs_of(commands: Sequence[Command], settings: Settings, base: str) -> list[Run]:
    """The same while the gate is shut: each by the text that knows of it. Those that have none do not run."""
    return [_shut_run(command, settings, base) for command in commands]


def answers_of(runs: Sequence[Run], replies: Sequence[Any]) -> list[Any]:
    """The answer to each command; an error of a whole run is that of all its commands."""
    answers: list[Any] = []
    for (_, count), reply in zip(runs, replies, strict=True):
        if count == 0:
            answers.append(reply)
        else:
            answers += [reply] * count if isinstance(reply, Exception) else reply
    return answers


def _run_of(commands: Sequence[Command], settings: Settings, base: str) -> list[Run]:
    if len(commands) < _LEAST:
        return [_own_run(command, settings, base) for command in commands]
    words: list[str | bytes | int | float] = ["EVALSHA", script("trip").sha, 1, base]
    for command in commands:
        args = command.args(settings)
        words += (command.script, len(args), *args)
    return [(tuple(words), len(commands))]


def _own_run(command: Command, settings: Settings, base: str) -> Run:
    return ("EVALSHA", script(command.script).sha, 1, base, *command.args(settings)), 0


def _shut_run(command: Command, settings: Settings, base: str) -> Run:
    text = script(command.script).shut_text
    if text is None:
        return _own_run(command, settings, base)
    return ("EVAL", text, 1, base, *command.args(settings)), 0
