"""What is said of a conversation as a whole, on its way from the queue to the log (envoi/queue/lua/holds.lua).

It goes by the stream of the receipts, whose reader applies it in order: said twice, it comes to the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Self
from urllib.parse import unquote


class Whose(NamedTuple):
    """A conversation, taken apart."""

    page: str
    kind: str
    recipient: str

    @classmethod
    def of(cls, conversation: str) -> Self:
        """The inverse of :func:`envoi.queue.keys.conversation_of`.

        Raises:
            ValueError: it is no conversation's name.
        """
        page, kind, recipient = conversation.split("/")
        return cls(page, kind, unquote(recipient))


@dataclass(frozen=True, slots=True)
class Hold:
    """A conversation is held, or not any more. Seconds since the epoch.

    Attributes:
        since: None: it is not held any more.
        until: None: until it is released.
    """

    conversation: str
    since: float | None = None
    until: float | None = None


@dataclass(frozen=True, slots=True)
class OptOut:
    """A person wants no messages of a page, or wants them again.

    Attributes:
        since: seconds since the epoch; None: the person wants them again.
    """

    conversation: str
    since: float | None = None


Standing = Hold | OptOut
