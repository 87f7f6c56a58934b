"""The queue for asyncio: the same questions, answered by redis-py's asyncio client."""

from __future__ import annotations

import asyncio
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import NoScriptError

from envoi.errors import Recovering
from envoi.queue.connection import translated
from envoi.queue.conversation_questions import Questions
from envoi.queue.keys import Keys
from envoi.queue.question import Answer, Asking, Pause, Question, RunScript, answered_async
from envoi.queue.runner import GATE_SHUT
from envoi.queue.scripts import script
from envoi.settings import Settings

_CONNECTIONS = 32  # at most; who finds them all in use waits
_WAIT_FOR_ONE = 20.0  # seconds, at most


def connect_async(url: str) -> Redis:
    """A client whose every operation ends in bounded time, as :func:`envoi.queue.connection.connect` makes it.

    Its connections are bounded too: an app may have any number of tasks, and each would open one. They are made when
    they are needed, in the event loop that needs them.
    """
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=_CONNECTIONS,
        timeout=_WAIT_FOR_ONE,
        decode_responses=True,
        socket_timeout=5,
        socket_connect_timeout=3,
        health_check_interval=10,
        retry=Retry(NoBackoff(), 1, supported_errors=(Disconnected,)),
    )
    return Redis.from_pool(pool)


class AsyncQueue:
    """One queue in one Redis, as far as clients go. The tasks of one event loop may share it."""

    def __init__(self, client: Redis, settings: Settings) -> None:
        self.redis = client
        self.keys = Keys(settings.redis_tag)
        self.questions = Questions(settings, self.keys)

    @property
    def settings(self) -> Settings:
        """By which settings."""
        return self.questions.settings

    async def ask(self, asking: Asking[Answer]) -> Answer:
        """Answer questions until they come to their end. What they raise is raised.

        A cancelled call may have been carried out or not, like one that Redis did not answer: each question is one
        script, which does all of its work or none, and the connection it went by is closed.
        """
        return await answered_async(asking, self._answer_to)

    async def close(self) -> None:
        """Close all connections."""
        await self.redis.aclose()

    async def _answer_to(self, question: Question) -> Any:  # noqa: ANN401  # each question has its own answer
        if isinstance(question, Pause):
            return await asyncio.sleep(question.seconds)
        with translated():
            if isinstance(question, RunScript):
                return await self._run(question)
            if len(question.commands) == 1:
                return [await self.redis.execute_command(*question.commands[0])]  # type: ignore[no-untyped-call]
            async with self.redis.pipeline(transaction=question.atomic) as pipe:
                for parts in question.commands:
                    pipe.execute_command(*parts)
                return await pipe.execute()

    async def _run(self, question: RunScript) -> Any:  # noqa: ANN401  # each script answers in its own shape
        found = script(question.name)
        given: list[Any] = [self.keys.base, *question.args]
        try:
            return await self.redis.evalsha(found.sha, 1, *given)
        except NoScriptError:
            if found.shut_text is None:
                raise Recovering(GATE_SHUT) from None
            return await self.redis.eval(found.shut_text, 1, *given)
