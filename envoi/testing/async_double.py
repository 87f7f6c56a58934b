"""The double of :class:`envoi.AsyncEnvoi`."""

from __future__ import annotations

from typing import Any, NoReturn

from envoi.asks import Asks
from envoi.async_client import AsyncEnvoi
from envoi.testing.double import FakeEnvoi
from envoi.testing.queue import AsyncMemoryQueue


class FakeAsyncEnvoi(AsyncEnvoi):
    """A client for asyncio whose queue is in memory.

    It shares the queue of a :class:`envoi.testing.FakeEnvoi`, by which the test looks at it and drives it.

    Args:
        fake: whose queue; without it one of its own.
        on_outcome: of every job that does not say another one.

    Attributes:
        fake: drives the queue.
    """

    def __init__(self, fake: FakeEnvoi | None = None, *, on_outcome: str | None = None) -> None:
        self.fake = fake or FakeEnvoi()
        self._queue = AsyncMemoryQueue(self.fake.queue)
        self._closes = True
        self._asks = Asks(self._queue.questions, on_outcome)

    async def broadcast(self, *args: Any, **options: Any) -> NoReturn:  # noqa: ANN401
        """Not here: it is written to SQL."""
        self.fake.broadcast(*args, **options)

    async def upload(self, *args: Any, **options: Any) -> NoReturn:  # noqa: ANN401
        """Not here: it is a call to Meta."""
        self.fake.upload(*args, **options)
