"""What the queue is told of a page that was added or changed. Loads SQLAlchemy, as :mod:`envoi.cli.log` does."""

from __future__ import annotations

from envoi.cli.output import warn
from envoi.client import open_queue
from envoi.errors import HalfDone, QueueUnavailable
from envoi.log.page import Page
from envoi.queue.queue import Queue
from envoi.recovery.introduction import tell_limits


def tell_page(queue: Queue, page: Page) -> None:
    """Set its limits, its app and the version of its token; then end its pause, unless it is an operator's.

    In this order: a 190 that the old token still brings finds the new version, and does not pause the page again.

    Raises:
        QueueUnavailable: Redis did not answer.
    """
    tell_limits(queue, page)
    if page.paused_since is None:
        queue.resume(page.id)


def tell_pages(pages: list[Page]) -> None:
    """The queue learns of pages that the log has already.

    Raises:
        HalfDone: Redis did not answer.
    """
    for page in pages:
        try:
            tell_page(open_queue(), page)
        except QueueUnavailable as error:
            raise HalfDone(
                f"page {page.id} has its token (version {page.token_version}) in the log, but the queue was not told "
                f"({error}): workers may go on with an older token, a paused page stays paused. Repeat the command "
                "when Redis answers"
            ) from None
        if page.paused_since is not None:
            warn(f"page {page.id} stays paused, as an operator asked; `envoi pages resume {page.id}` lets it go on")
