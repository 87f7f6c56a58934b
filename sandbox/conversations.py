"""What the person at the other end sees: the bubble, the tick, the messages."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.call import MESSAGE, Call
from sandbox.errors import Refused, known
from sandbox.recipient import PRIVATE_REPLIES

TYPING_SECONDS = 20.0  # SEND_API 10: ends by itself, or with the page's next message


@dataclass(slots=True)
class Conversation:
    """One conversation (page, recipient).

    Attributes:
        key: ``PAGE/kind:value``.
        page: id of the page.
        recipient_kind: what the recipient is given by.
        recipient: its value.
        typing_since: Unix seconds of the last ``typing_on`` that nothing has ended; it ends by itself all the same.
        seen_at: Unix seconds of the last ``mark_seen``.
        messages: how many messages of the page were delivered.
        last_message_id: of the last of them.
    """

    key: str
    page: str
    recipient_kind: str
    recipient: str
    typing_since: float | None = None
    seen_at: float | None = None
    messages: int = 0
    last_message_id: str | None = None

    def typing(self, now: float) -> bool:
        """Whether the bubble shows."""
        return self.typing_since is not None and now < self.typing_since + TYPING_SECONDS

    def as_json(self, now: float) -> dict[str, object]:
        """The conversation's state at a time."""
        return {
            "conversation": self.key,
            "page": self.page,
            "recipient_kind": self.recipient_kind,
            "recipient": self.recipient,
            "typing": self.typing(now),
            "typing_since": self.typing_since if self.typing(now) else None,
            "seen_at": self.seen_at,
            "messages": self.messages,
            "last_message_id": self.last_message_id,
        }


class Conversations:
    """All conversations that something was delivered to."""

    def __init__(self) -> None:
        self._conversations: dict[str, Conversation] = {}

    def all(self) -> list[Conversation]:
        """Every conversation, in the order of the first delivery."""
        return list(self._conversations.values())

    def find(self, key: str) -> Conversation | None:
        """The conversation of this key, if anything was delivered to it."""
        return self._conversations.get(key)

    def check_open(self, page: str, call: Call) -> None:
        """Refuse what the conversation's state forbids.

        Raises:
            Refused: 10900, a second private reply to a comment or post (SEND_API 2).
        """
        if call.recipient_kind in PRIVATE_REPLIES and call.conversation(page) in self._conversations:
            raise Refused(known(10900))

    def deliver(self, page: str, call: Call, message_id: str | None, now: float) -> None:
        """Let a valid call take effect."""
        key = call.conversation(page)
        if key is None or call.recipient_kind is None or call.recipient_key is None:
            raise ValueError("a call without a recipient passed the checks")
        conversation = self._conversations.get(key)
        if conversation is None:
            conversation = Conversation(key, page, call.recipient_kind, call.recipient_key)
            self._conversations[key] = conversation
        if call.step == MESSAGE:
            conversation.messages += 1
            conversation.last_message_id = message_id
            conversation.typing_since = None
        elif call.step == "typing_on":
            conversation.typing_since = now
        elif call.step == "typing_off":
            conversation.typing_since = None
        elif call.step == "mark_seen":
            conversation.seen_at = now
