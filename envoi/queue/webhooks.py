"""What webhooks bring to the queue: signs of life that open windows, and notices that wait for a scheduler."""

from __future__ import annotations

from collections.abc import Sequence

from envoi.notices import Notice
from envoi.queue.restart import Restarts


class Webhooks(Restarts):
    """The queue's side of webhooks and of the window."""

    def take_notices(self, notices: Sequence[Notice]) -> int:
        """Take what a webhook tells, all of it or nothing, in one trip.

        What a person did opens the window and ends a refusal at once; the rest waits for a scheduler. Twice, and in any
        order, it comes to the same.

        Returns:
            How many signs of life were news.

        Raises:
            QueueFull: too much waits already, or Redis is full. Nothing was taken.
        """
        return self.ask(self.questions.take_notices(notices))

    def heard_of(self, conversations: Sequence[str]) -> list[float | None]:
        """When the person of each conversation was last heard of, seconds since the epoch; None: not known."""
        return self.ask(self.questions.heard_of(conversations))
