"""Whole conversations for asyncio: hold and release, cancel what waits, opt-outs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import TypeVar

from envoi.asks import Asks
from envoi.conversation import CancelledAll, Conversation, HeldConversation, OptedOut, Whom
from envoi.queue.answers import AsyncAnswers
from envoi.queue.question import Asking

One = TypeVar("One")


class AsyncConversations:
    """The methods of :class:`envoi.AsyncEnvoi` that are about whole conversations, as in :class:`envoi.Envoi`."""

    _queue: AsyncAnswers
    _asks: Asks

    async def hold(self, page: str, recipient: Whom, *, until: datetime | None = None) -> None:
        """As :meth:`envoi.Envoi.hold`."""
        await self._queue.ask(self._asks.hold(page, recipient, until))

    async def release(self, page: str, recipient: Whom) -> bool:
        """As :meth:`envoi.Envoi.release`."""
        return await self._queue.ask(self._asks.release(page, recipient))

    def held(self, page: str) -> AsyncIterator[HeldConversation]:
        """As :meth:`envoi.Envoi.held`, for ``async for``; what is wrong is said at its first step."""
        return self._walk(lambda cursor: self._asks.some_held(page, cursor))

    async def conversation(self, page: str, recipient: Whom) -> Conversation:
        """As :meth:`envoi.Envoi.conversation`."""
        return await self._queue.ask(self._asks.conversation(page, recipient))

    async def cancel_all(self, page: str, recipient: Whom) -> CancelledAll:
        """As :meth:`envoi.Envoi.cancel_all`."""
        return await self._queue.ask(self._asks.cancel_all(page, recipient))

    async def opt_out(self, page: str, recipient: Whom) -> bool:
        """As :meth:`envoi.Envoi.opt_out`."""
        return await self._queue.ask(self._asks.opt_out(page, recipient))

    async def opt_in(self, page: str, recipient: Whom) -> bool:
        """As :meth:`envoi.Envoi.opt_in`."""
        return await self._queue.ask(self._asks.opt_in(page, recipient))

    def opt_outs(self, page: str) -> AsyncIterator[OptedOut]:
        """As :meth:`envoi.Envoi.opt_outs`, for ``async for``; what is wrong is said at its first step."""
        return self._walk(lambda cursor: self._asks.some_opt_outs(page, cursor))

    async def _walk(self, some: Callable[[int], Asking[tuple[int, list[One]]]]) -> AsyncIterator[One]:
        cursor, more = 0, True
        while more:
            cursor, found = await self._queue.ask(some(cursor))
            for one in found:
                yield one
            more = cursor != 0
