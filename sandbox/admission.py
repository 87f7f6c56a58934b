"""What is looked at before a call: whose token it is, and what the path and the method name."""

from __future__ import annotations

import re

from sandbox.errors import GraphError, Refused, known
from sandbox.pages import Page, Pages
from sandbox.reading import not_there
from sandbox.request import Parameters, Target

MESSAGES = "messages"
CONVERSATIONS = "conversations"
ATTACHMENTS = "message_attachments"
_UNKNOWN_PATH = 2500
_EDGE_NAME = re.compile(r"[a-z_]{1,40}", re.ASCII)


def edge_name(target: Target) -> str | None:
    """The edge for the ledger; what cannot be a name of Graph's is ``other``, lest a token in a path gets in there."""
    if target.edge is None:
        return None
    return target.edge if _EDGE_NAME.fullmatch(target.edge) else "other"


def check_proof(page: Page, parameters: Parameters) -> None:
    """Refuse a missing or wrong ``appsecret_proof``.

    Raises:
        Refused: 100, where the page asks for a proof.
    """
    page.check_proof(parameters.token or "", parameters.values.get("appsecret_proof"))


def check_target(target: Target, method: str, page: Page, pages: Pages) -> None:
    """Refuse everything but ``POST /{page|me}/messages``; other edges are looked for before (``edges.py``).

    Raises:
        Refused: 100/33 for an object that is not there and for reading, changing or deleting, which "is not available"
            on this edge (SEND_API 1); 10 for another page than the token's; 2500 for an edge that is not there. The
            words are Graph's where known; which of them goes first is not.
    """
    if target.node not in ("me", page.id):
        if pages.get(target.node) is not None:
            raise Refused(known(10))
        raise not_there(method, target.node)
    if target.edge is None:
        raise not_there(method, target.node)
    if target.edge not in (MESSAGES, CONVERSATIONS, ATTACHMENTS):
        raise Refused(GraphError(_UNKNOWN_PATH, f"Unknown path components: /{target.edge[:200]}"))
    if method != "POST" or target.edge != MESSAGES:
        raise not_there(method, target.node)
