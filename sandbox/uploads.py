"""Uploading ahead: ``POST /{page}/message_attachments`` (SEND_API 3, Media)."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.call import Call
from sandbox.content import check_attachment
from sandbox.errors import Refused, invalid
from sandbox.ledger import Entry
from sandbox.media import MEDIA_TYPES, check_media, fetched_by
from sandbox.pages import Page
from sandbox.world import World


@dataclass(frozen=True, slots=True)
class Uploading:
    """One upload. It is saved whatever ``is_reusable`` says: what else would it be for?"""

    world: World
    entry: Entry
    page: Page
    call: Call

    def refusal(self) -> Refused | None:
        """Limits of calls, or no attachment that could be uploaded."""
        refusal = self.world.throttled(self.page, self.call)
        if refusal is not None:
            return refusal
        try:
            attachment = self.call.message.get("attachment")
            if attachment is None:
                raise invalid("Param message[attachment] is required")
            check_attachment(attachment, self.page)
            if not isinstance(attachment, dict) or attachment["type"] not in MEDIA_TYPES:
                raise invalid(f"Param message[attachment][type] must be one of {{{', '.join(MEDIA_TYPES)}}}")
            check_media(attachment, self.call.files)
        except Refused as refused:
            return refused
        return None

    def commit(self) -> dict[str, object]:
        """Save it."""
        self.entry.fetched = fetched_by(self.call)
        return {"attachment_id": self.world.media.keep(self.page.id, self.world.clock.now())}
