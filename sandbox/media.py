"""Media: exactly one source for each attachment, and attachments saved for later (SEND_API 3, Media)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from sandbox.call import Call, attachments_of
from sandbox.errors import Refused, invalid, known
from sandbox.multipart import File
from sandbox.pages import Page, Platform
from sandbox.shape import address, rows

MEDIA_TYPES = ("audio", "file", "image", "video")
MAX_FILE_BYTES = 25 * 1024 * 1024  # SEND_API 3: "file max 25 MB"
SAVED_SECONDS = 90 * 86_400.0  # SEND_API 3: an attachment id "expires after 90 days"
MAX_PICTURES, MAX_INSTAGRAM_PICTURES = 30, 10
_ID_DIGITS = 16


def check_media(attachment: object, files: Sequence[File]) -> None:
    """Refuse media that comes from nowhere, or from two places at once. An address is not fetched.

    Raises:
        Refused: 100 in the words of fchat.co (likely), 100/2018109 for a file that is too large, 100/2018047 for one of
            another type than it is said to be.
    """
    if not isinstance(attachment, dict) or attachment.get("type") not in MEDIA_TYPES:
        return
    payload = attachment.get("payload")
    named = [name for name in ("url", "attachment_id") if isinstance(payload, dict) and payload.get(name)]
    if len(named) + len(files) != 1:
        if not named:
            raise invalid("An incorrect number of files uploaded. Must upload exactly one file.")
        raise invalid("Param message[attachment] must have one of url, attachment_id and a file")
    for name in named:
        if not isinstance(payload, dict) or not isinstance(payload[name], str):
            raise invalid(f"Param message[attachment][payload][{name}] must be a string")
    if "url" in named:
        address(dict(payload or {})["url"], "message[attachment][payload][url]")
    if files and files[0].size > MAX_FILE_BYTES:
        raise Refused(known(100, 2018109))
    if files and not _fits(str(attachment["type"]), files[0].content_type):
        raise Refused(known(100, 2018047))


def check_pictures(attachments: object, page: Page) -> None:
    """Refuse several attachments that are too many, or anything but images (SEND_API 3, Media).

    Raises:
        Refused: 100; 105 for too many.
    """
    most = MAX_INSTAGRAM_PICTURES if page.platform is Platform.INSTAGRAM else MAX_PICTURES
    for number, attachment in enumerate(rows(attachments, "message[attachments]", 1, most)):
        if attachment.get("type") != "image":
            raise invalid(f"Param message[attachments][{number}][type] must be image")
        check_media(attachment, ())


def fetched_by(call: Call) -> list[str]:
    """The addresses of media that Meta fetches for a call; here they are counted, not fetched."""
    attachment = call.message.get("attachment")
    kind = attachment.get("type") if isinstance(attachment, dict) else None
    if kind is not None and kind not in MEDIA_TYPES:
        return []
    addresses = [payload.get("url") for payload in _payloads(call)]
    return [address for address in addresses if isinstance(address, str) and address]


def _fits(kind: str, content_type: str) -> bool:
    """SEND_API 4, 2018047: "usually wrong media type". A part that says nothing of its type passes."""
    said = content_type.partition("/")[0].strip().lower()
    return kind == "file" or said in ("", kind) or content_type.lower().startswith("application/octet-stream")


class SavedMedia:
    """Attachments that were sent with ``is_reusable``: they live 90 days, for the page that sent them."""

    def __init__(self) -> None:
        self._saved: dict[str, tuple[str, float]] = {}

    def check(self, page: str, call: Call, now: float) -> None:
        """Refuse an attachment id that is unknown, of another page, or too old.

        Raises:
            Refused: 100/2018074.
        """
        for payload in _payloads(call):
            attachment_id = payload.get("attachment_id")
            if isinstance(attachment_id, str) and attachment_id:
                owner, until = self._saved.get(attachment_id, ("", 0.0))
                if owner != page or now >= until:
                    raise Refused(known(100, 2018074))

    def save(self, page: str, call: Call, now: float) -> str | None:
        """Save the message's attachment, if it asks for that.

        Returns:
            The new ``attachment_id``, digits; None where nothing was to be saved.
        """
        attachment = call.message.get("attachment")
        if not isinstance(attachment, dict) or attachment.get("type") not in MEDIA_TYPES:
            return None
        # A form holds JSON text all the same, but its writers send both true and "true".
        if not any(payload.get("is_reusable") in (True, "true") for payload in _payloads(call)):
            return None
        return self.keep(page, now)

    def keep(self, page: str, now: float) -> str:
        """Save an attachment; its id is digits."""
        attachment_id = str(10 ** (_ID_DIGITS - 1) + secrets.randbelow(9 * 10 ** (_ID_DIGITS - 1)))
        self._saved[attachment_id] = (page, now + SAVED_SECONDS)
        return attachment_id


def _payloads(call: Call) -> list[dict[str, object]]:
    payloads = [attachment.get("payload") for attachment in attachments_of(call.message)]
    return [payload for payload in payloads if isinstance(payload, dict)]
