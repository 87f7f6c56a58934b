"""What the queue knows of pages: paces, caps, pauses, and the versions of their tokens."""

from __future__ import annotations

import json
from collections.abc import Sequence

from envoi.queue.connection import translated
from envoi.queue.page_commands import PausePage
from envoi.queue.queued_page import QueuedPage
from envoi.queue.runner import Runner


class Pages(Runner):
    """The pages of one queue.

    Every method raises :class:`envoi.errors.QueueUnavailable` when Redis does not answer.
    """

    def pause(self, page: str, reason: str, token_version: int | None = None) -> bool:
        """Pause a page; with a token version only if that is still the page's, and nobody has paused it before.

        Returns:
            Whether this call paused it.
        """
        command = PausePage(page, reason, token_version)
        return command.parse(self._run("page", *command.args(self.settings)))

    def resume(self, page: str) -> None:
        """Let a paused page send again."""
        self._run("page", page, "resume", "", "", self.settings.bells_cap)

    def configure(
        self,
        page: str,
        *,
        pace: float | None = None,
        cap: int | None = None,
        token_version: int | None = None,
        media_pace: float | None = None,
    ) -> None:
        """Set some of what a page is allowed: messages per second, calls in flight; and the version of its token."""
        value = {"pace": pace, "cap": cap, "tv": token_version, "mpace": media_pace}
        self._set(page, {name: number for name, number in value.items() if number is not None})

    def introduce(
        self,
        page: str,
        token_version: int,
        *,
        pace: float | None,
        cap: int | None,
        app: str | None,
        media_pace: float | None = None,
        instagram: bool = False,
    ) -> None:
        """Set all that the queue knows of a page, in one step.

        Args:
            page: its id.
            token_version: of its credentials.
            pace: messages per second; None: the default.
            cap: calls in flight; None: the default.
            app: its app; None: that of pages that name none.
            media_pace: media per second; None: the default.
            instagram: whether it is on Instagram, where other defaults hold.
        """
        value = {"tv": token_version, "pace": pace, "cap": cap, "ap": app, "mpace": media_pace}
        value["ig"] = 1 if instagram else None
        self._set(page, {name: "" if given is None else given for name, given in value.items()})

    def _set(self, page: str, value: dict[str, float | str]) -> None:
        self._run("page", page, "set", json.dumps(value), "", self.settings.bells_cap)

    def pages(self, pages: Sequence[str]) -> list[QueuedPage]:
        """What the queue says of pages, read in one trip."""
        with translated(), self.redis.pipeline(transaction=False) as pipe:
            pipe.time()
            for page in pages:
                pipe.hmget(self.keys.page(page), *QueuedPage.FIELDS)
            (seconds, micros), *rows = pipe.execute()
        return [QueuedPage.read(row, seconds + micros / 1e6) for row in rows]
