"""Outcomes for asyncio apps."""

from __future__ import annotations

from collections.abc import AsyncIterator

from envoi.outcomes import LONGEST_WAIT, Outcome, OutcomeAsks
from envoi.queue.answers import AsyncAnswers
from envoi.queue.keys import Keys


class AsyncOutcomes:
    """The outcomes of jobs with ``on_outcome="stream:<name>"``, as :class:`envoi.Outcomes` gives them.

    Raises:
        BadSettings: no stream can have this name.
    """

    def __init__(self, queue: AsyncAnswers, keys: Keys, name: str, consumer: str = "reader") -> None:
        self._queue = queue
        self._asks = OutcomeAsks(keys, name, consumer)

    async def read(self, count: int = 100, wait: float = 0.0) -> list[Outcome]:
        """As :meth:`envoi.Outcomes.read`."""
        return await self._queue.ask(self._asks.read(count, wait))

    async def acknowledge(self, *outcomes: Outcome) -> None:
        """As :meth:`envoi.Outcomes.acknowledge`."""
        await self._queue.ask(self._asks.acknowledge(outcomes))

    async def follow(self, wait: float = LONGEST_WAIT) -> AsyncIterator[Outcome]:
        """As :meth:`envoi.Outcomes.follow`, for ``async for``."""
        while True:
            for outcome in await self.read(wait=wait):
                yield outcome
                await self.acknowledge(outcome)

    async def take_over(self, idle: float) -> int:
        """As :meth:`envoi.Outcomes.take_over`."""
        return await self._queue.ask(self._asks.take_over(idle))
