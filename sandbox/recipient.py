"""Checks of the recipient (SEND_API 2, Recipient kinds)."""

from __future__ import annotations

import hashlib
import re

from sandbox.call import MESSAGE, RECIPIENT_KINDS, Call
from sandbox.errors import Refused, invalid, known
from sandbox.pages import Page, Platform

_ID = re.compile(r"[0-9]+", re.ASCII)
# SEND_API 2: "recipients only by `id` or `comment_id`".
_INSTAGRAM_KINDS = frozenset({"id", "comment_id"})
PRIVATE_REPLIES = frozenset({"comment_id", "post_id"})
# SEND_API 1: the answer to these does not say who it was.
ANONYMOUS = frozenset({"user_ref", "phone_number"})


def check_recipient(call: Call, page: Page) -> None:
    """Refuse a recipient that is missing, not exactly one, or not of the page's platform.

    Raises:
        Refused: always code 100; the words are ours but for the one about ``recipient[id]`` (home-assistant#26132).
    """
    if "recipient" not in call.parameters:
        raise invalid("The parameter recipient is required")
    if call.recipient is None:
        raise invalid("Param recipient must be an object")
    if call.recipient_kind is None:
        raise invalid(f"Param recipient must have exactly one of {', '.join(RECIPIENT_KINDS)}")
    if call.recipient_kind == "id":
        # Ids are strings (SEND_API 1). Whether a JSON number passes is not known: a client must not depend on it.
        if call.recipient_key is None or not _ID.fullmatch(call.recipient_key):
            raise invalid('Param recipient[id] must be a valid ID string (e.g., "123")')
    elif call.recipient_key is None:
        raise invalid(f"Param recipient[{call.recipient_kind}] must be a string")
    if page.platform is Platform.INSTAGRAM and call.recipient_kind not in _INSTAGRAM_KINDS:
        raise invalid(f"Param recipient[{call.recipient_kind}] is not available for Instagram")
    if call.recipient_kind in PRIVATE_REPLIES and call.step not in (MESSAGE, None):
        # A private reply is one message and no thread yet; 2018048: an action on a bad thread (SEND_API 2).
        raise Refused(known(100, 2018048))


def recipient_id_of(call: Call) -> str | None:
    """The ``recipient_id`` of the answer; None where Graph gives none (SEND_API 1).

    Behind a comment, a post or a token stands a person whose id Graph knows: here one made from the key.
    """
    if call.recipient_key is None or call.recipient_kind in ANONYMOUS:
        return None
    if call.recipient_kind == "id":
        return call.recipient_key
    digest = hashlib.sha256(f"{call.recipient_kind}:{call.recipient_key}".encode("utf-8", "surrogatepass")).digest()
    return str(10**15 + int.from_bytes(digest[:6], "big"))
