"""Answers questions from memory, in place of Redis."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

from envoi.queue.connection import translated
from envoi.queue.conversation_questions import Questions
from envoi.queue.keys import Keys
from envoi.queue.question import Answer, Argument, Asking, Pause, Plain, Question, RunScript, answered, answered_async
from envoi.settings import Settings
from envoi.testing.memory import Memory
from envoi.testing.scripts import SCRIPTS
from envoi.testing.streams import longest_wait

_SLICE = 0.01  # seconds between two looks for what is waited for


class MemoryQueue:
    """A queue in memory. Threads may share it.

    Attributes:
        outage: what every question is answered with while it is set.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self.settings = settings
        self.keys = Keys(settings.redis_tag)
        self.questions = Questions(settings, self.keys)
        self.memory = Memory(settings, clock)
        self.lock = threading.RLock()
        self.outage: Exception | None = None

    def ask(self, asking: Asking[Answer]) -> Answer:
        """Answer questions until they come to their end. What they raise is raised."""
        return answered(asking, self._answer_to)

    def answer(self, question: Question) -> Any:  # noqa: ANN401  # each question has its own answer
        """Answer one question at once."""
        with self.lock, translated():
            if self.outage is not None:
                raise self.outage
            self.memory.pass_time()
            if isinstance(question, RunScript):
                return SCRIPTS[question.name](self.memory, *question.args)
            if isinstance(question, Plain):
                return [self._plain(parts) for parts in question.commands]
            return None

    def _answer_to(self, question: Question) -> Any:  # noqa: ANN401
        if isinstance(question, Pause):
            return time.sleep(question.seconds)
        until = time.monotonic() + waits(question)
        while not _there(answer := self.answer(question)) and time.monotonic() < until:
            time.sleep(_SLICE)
        return answer

    def _plain(self, parts: tuple[Argument, ...]) -> Any:  # noqa: ANN401
        memory, base = self.memory, self.keys.base
        key = str(parts[1]).removeprefix(base) if len(parts) > 1 else ""
        match parts[0]:
            case "TIME":
                return divmod(round(memory.now() * 1e6), 1_000_000)
            case "GET":
                job = memory.job(key.removeprefix("j:"))
                return job and f"- -\n{job.payload}"
            case "MGET":
                times = [memory.heard.get(str(name).removeprefix(f"{base}in:")) for name in parts[1:]]
                return [None if at is None else f"{at:.6f}" for at in times]
            case "HSCAN":
                kind, _, page = key.partition(":")
                return 0, _holds(memory, page) if kind == "holds" else _opt_outs(memory, page)
            case _:
                return memory.streams.answer(parts, base)


class AsyncMemoryQueue:
    """The same for an event loop; any number of them, and threads, may share one queue."""

    def __init__(self, queue: MemoryQueue) -> None:
        self._queue = queue
        self.settings, self.keys, self.questions = queue.settings, queue.keys, queue.questions

    async def ask(self, asking: Asking[Answer]) -> Answer:
        """Answer questions until they come to their end. What they raise is raised."""
        return await answered_async(asking, self._answer_to)

    async def close(self) -> None:
        """Nothing was opened."""

    async def _answer_to(self, question: Question) -> Any:  # noqa: ANN401  # each question has its own answer
        if isinstance(question, Pause):
            return await asyncio.sleep(question.seconds)
        await asyncio.sleep(0)  # as with Redis, others get their turn
        until = time.monotonic() + waits(question)
        # Not an event: what is waited for may come from another thread.
        while not _there(answer := self._queue.answer(question)) and time.monotonic() < until:  # noqa: ASYNC110
            await asyncio.sleep(_SLICE)
        return answer


def waits(question: Question) -> float:
    """How long a question waits for something new, seconds."""
    return longest_wait(question.commands[0]) if isinstance(question, Plain) else 0.0


def _there(answer: Any) -> bool:  # noqa: ANN401
    return bool(answer != [[]])


def _holds(memory: Memory, page: str) -> dict[str, str]:
    held = {name: times for name, times in memory.holds.items() if name.startswith(f"{page}/")}
    return {
        name: f"{since:.6f} {'-' if until == float('inf') else f'{until:.6f}'}" for name, (since, until) in held.items()
    }


def _opt_outs(memory: Memory, page: str) -> dict[str, str]:
    return {name: f"{since:.6f}" for name, since in memory.opt_outs.items() if name.startswith(f"{page}/")}
