"""Questions to the queue, apart from how Redis is reached.

What asks more than one thing, or must read an answer, is a generator of questions: the client for threads, the one for
asyncio and the double for tests (envoi/testing) run the same ones, each with its own way to an answer.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, TypeVar

Answer = TypeVar("Answer")
Argument = str | int | float


@dataclass(frozen=True, slots=True)
class RunScript:
    """Run one script; the answer is its own."""

    name: str
    args: tuple[Argument, ...]


@dataclass(frozen=True, slots=True)
class Plain:
    """Commands of Redis in one trip; the answer is a list of theirs.

    Attributes:
        atomic: all of them or none.
    """

    commands: tuple[tuple[Argument, ...], ...]
    atomic: bool = False


@dataclass(frozen=True, slots=True)
class Pause:
    """Let so many seconds go by; nothing is asked of Redis."""

    seconds: float


Question = RunScript | Plain | Pause
Asking = Generator[Question, Any, Answer]


def run(name: str, *args: Argument) -> Asking[Any]:
    """Ask one script."""
    return (yield RunScript(name, args))


def command(*parts: Argument) -> Asking[Any]:
    """Ask with one plain command."""
    [answer] = yield Plain((parts,))
    return answer
