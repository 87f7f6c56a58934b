"""Questions to the queue, apart from how Redis is reached.

What asks more than one thing, or must read an answer, is a generator of questions: the client for threads, the one for
asyncio and the double for tests (envoi/testing) run the same ones, each with its own way to an answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
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


def answered(asking: Asking[Answer], answer_to: Callable[[Question], Any]) -> Answer:
    """Answer questions until they come to their end.

    An error is told to them where they wait for the answer: they may know better.
    """
    answer: Any = None
    error: Exception | None = None
    try:
        while True:
            question = asking.throw(error) if error else asking.send(answer)
            try:
                answer, error = answer_to(question), None
            except Exception as failed:  # noqa: BLE001  # raised again by the questions
                error = failed
    except StopIteration as end:
        result: Answer = end.value
        return result
    finally:
        error = None  # it holds this frame, and the frame would hold it


async def answered_async(asking: Asking[Answer], answer_to: Callable[[Question], Awaitable[Any]]) -> Answer:
    """The same where each answer is awaited."""
    answer: Any = None
    error: Exception | None = None
    try:
        while True:
            question = asking.throw(error) if error else asking.send(answer)
            try:
                answer, error = await answer_to(question), None
            except Exception as failed:  # noqa: BLE001  # raised again by the questions
                error = failed
    except StopIteration as end:
        result: Answer = end.value
        return result
    finally:
        error = None  # as above
