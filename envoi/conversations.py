"""Whole conversations, as a web app handles them: hold and release, cancel what waits, opt-outs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TypeVar

from envoi.asks import Asks
from envoi.conversation import CancelledAll, Conversation, HeldConversation, OptedOut, Whom
from envoi.queue.answers import Answers
from envoi.queue.question import Asking

One = TypeVar("One")


class Conversations:
    """The methods of :class:`envoi.Envoi` that are about whole conversations.

    ``recipient`` is a page-scoped id or the Send API's own object, as in ``send``. A person who is given in two ways
    has two conversations.

    Every method raises ``InvalidConversation`` where page or recipient cannot be, and ``QueueUnavailable`` where Redis
    does not answer.
    """

    _queue: Answers
    _asks: Asks

    def hold(self, page: str, recipient: Whom, *, until: datetime | None = None) -> None:
        """Let nothing begin in a conversation: a human takes over.

        A message call that has begun goes on; what waits, and what is enqueued meanwhile, stays in line, in order. Jobs
        go on growing old: one that has expired is not sent after the release.

        Args:
            page: the page's id.
            recipient: whose conversation.
            until: aware datetime at which the hold ends; None: when it is released. Said again, it moves the end.
        """
        self._queue.ask(self._asks.hold(page, recipient, until))

    def release(self, page: str, recipient: Whom) -> bool:
        """End a hold: what waits goes on, ``ENVOI_LOSS_BOUND`` seconds later. Returns whether it was held."""
        return self._queue.ask(self._asks.release(page, recipient))

    def held(self, page: str) -> Iterator[HeldConversation]:
        """The held conversations of a page, in no order."""
        return self._walk(lambda cursor: self._asks.some_held(page, cursor))

    def conversation(self, page: str, recipient: Whom) -> Conversation:
        """What waits in a conversation, and what is said of it."""
        return self._queue.ask(self._asks.conversation(page, recipient))

    def cancel_all(self, page: str, recipient: Whom) -> CancelledAll:
        """Cancel every job of a conversation whose message call has not begun, scheduled ones too.

        Some hundred at a time, from the end of the line. What is enqueued meanwhile may be cancelled too.

        Raises:
            Recovering: Redis has restarted, and the queue is being looked over; try again.
        """
        return self._queue.ask(self._asks.cancel_all(page, recipient))

    def opt_out(self, page: str, recipient: Whom) -> bool:
        """The person wants no messages of this page: none is enqueued, and no call begins for those that wait.

        Jobs with ``ignore_opt_out`` go all the same. Returns whether that is news.
        """
        return self._queue.ask(self._asks.opt_out(page, recipient))

    def opt_in(self, page: str, recipient: Whom) -> bool:
        """The person wants messages again. Returns whether that is news."""
        return self._queue.ask(self._asks.opt_in(page, recipient))

    def opt_outs(self, page: str) -> Iterator[OptedOut]:
        """Who has opted out of a page's messages, in no order."""
        return self._walk(lambda cursor: self._asks.some_opt_outs(page, cursor))

    def _walk(self, some: Callable[[int], Asking[tuple[int, list[One]]]]) -> Iterator[One]:
        first = self._queue.ask(some(0))  # at once: what is wrong is said by the call, not by the loop over it
        return self._on(some, *first)

    def _on(self, some: Callable[[int], Asking[tuple[int, list[One]]]], cursor: int, found: list[One]) -> Iterator[One]:
        yield from found
        while cursor:
            cursor, found = self._queue.ask(some(cursor))
            yield from found
