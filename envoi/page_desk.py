"""What an operator sees of pages and does with them, in log and queue at once: for the command line and the console."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from envoi.errors import EnvoiError, HalfDone, QueueUnavailable
from envoi.log.errors import LogUnavailable
from envoi.log.page import Page
from envoi.log.pages import PageStore
from envoi.queue.queue import Queue
from envoi.queue.queued_page import QueuedPage

REASON = 200  # characters of a reason that are kept


@dataclass(frozen=True, slots=True)
class PageView:
    """A page with all that log and queue say of it; ``live`` is None where the queue did not answer."""

    page: Page
    live: QueuedPage | None

    @property
    def paused_since(self) -> datetime | None:
        """None while it is not paused. The queue knows best: it is what stops a page."""
        return self.page.paused_since if self.live is None else self.live.paused_since

    @property
    def pause_reason(self) -> str | None:
        """Why it is paused."""
        return self.page.pause_reason if self.live is None else self.live.reason

    @property
    def state(self) -> str:
        """``sends``, ``slowed``, ``held`` or ``paused``; how an app's throttle bears on it is not told here."""
        if self.paused_since is not None or self.live is None:
            return "paused" if self.paused_since is not None else "sends"
        return "held" if self.live.held_until else "slowed" if self.live.part < 1 else "sends"


class PageDesk:
    """Pages in log and queue.

    Every method raises ``LogUnavailable`` or ``SchemaMissing`` where the log's database fails.

    Args:
        store: the log's pages.
        queue: where they are stopped.
    """

    def __init__(self, store: PageStore, queue: Queue) -> None:
        self._store = store
        self._queue = queue

    def pages(self) -> tuple[list[PageView], QueueUnavailable | None]:
        """All pages, by id; and why the queue says nothing of them, if it does not."""
        known = self._store.list()
        trouble: QueueUnavailable | None = None
        queued: Sequence[QueuedPage | None]
        try:
            queued = self._queue.pages([page.id for page in known])
        except QueueUnavailable as error:
            trouble, queued = error, [None] * len(known)
        return [PageView(page, live) for page, live in zip(known, queued, strict=True)], trouble

    def pause(self, page: str, reason: str) -> None:
        """Stop sending for a page, as an operator's wish: a new token does not end it.

        Args:
            page: its id.
            reason: shown to operators; its first 200 characters are kept.

        Raises:
            UnknownPage: it was never added.
            QueueUnavailable: nothing was done.
            HalfDone: it is paused in the queue, and the log does not know of it.
        """
        why = reason[:REASON]
        trouble: EnvoiError | None = None
        try:
            self._store.get(page)  # a mistyped id must not look like a paused page
        except LogUnavailable as error:
            trouble = error  # pausing is for emergencies: the queue is enough
        self._queue.pause(page, why)
        try:
            self._store.set_paused(page, why)
        except LogUnavailable as error:
            trouble = error
        if trouble:
            raise HalfDone(
                f"page {page} is paused in the queue, but the log could not record it ({trouble}): "
                "a new token would end this pause. Repeat the command when the log answers"
            )

    def resume(self, page: str) -> None:
        """Let a paused page send again.

        Raises:
            UnknownPage: it was never added.
            QueueUnavailable: nothing was done.
            HalfDone: it sends again, and the log does not know of it.
        """
        self._store.get(page)
        self._queue.resume(page)
        try:
            self._store.set_paused(page, None)
        except LogUnavailable as error:
            raise HalfDone(
                f"page {page} sends again, but the log could not record it ({error}). "
                "Repeat the command when the log answers"
            ) from None
