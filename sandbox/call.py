"""What a request asks for: one step, to one recipient. Read leniently, so that the ledger also shows what was wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sandbox.multipart import File

MESSAGE = "message"
# SEND_API 2, Enums; the last two since 2025-12.
SENDER_ACTIONS = ("typing_on", "typing_off", "mark_seen", "react", "unreact")
STEPS = (MESSAGE, *SENDER_ACTIONS)
# Not steps: a look in a conversation, and an upload ahead. Rules, latencies and the ledger know them by these names.
READ = "read"
UPLOAD = "upload"
APART = (READ, UPLOAD)

# SEND_API 2, Recipient kinds: exactly one of them.
RECIPIENT_KINDS = (
    "id",
    "user_ref",
    "comment_id",
    "post_id",
    "phone_number",
    "notification_messages_token",
    "one_time_notif_token",
)

# The Send API's own parameters (SEND_API 1). Others, such as `fields` or `locale`, belong to Graph at large.
SEND_PARAMETERS = (
    "recipient",
    "message",
    "messaging_type",
    "notification_type",
    "sender_action",
    "tag",
    "reply_to",
    "persona_id",
    "payload",
    "template",
)


@dataclass(frozen=True, slots=True)
class Call:
    """One request for one step.

    Attributes:
        parameters: the Send API's parameters that were given, and no others: neither token nor proof.
        step: ``message`` or a sender action in lower case; ``read`` for a look, ``upload``; None
            where none of them can be told.
        recipient: the recipient object, None where it is not one.
        recipient_kind: the one kind it is given by, None where there is not exactly one.
        recipient_key: its value under that kind.
        message: the message object, empty where there is none.
        files: files that came with it (SEND_API 1, Encodings).
    """

    parameters: Mapping[str, object]
    step: str | None
    recipient: Mapping[str, object] | None
    recipient_kind: str | None
    recipient_key: str | None
    message: Mapping[str, object]
    files: Sequence[File] = ()

    @classmethod
    def of(cls, values: Mapping[str, object], files: Sequence[File] = ()) -> Call:
        """Read what can be read; nothing is refused here."""
        parameters = {name: values[name] for name in SEND_PARAMETERS if values.get(name) not in (None, "")}
        recipient = parameters.get("recipient")
        recipient = recipient if isinstance(recipient, dict) else None
        kinds = [kind for kind in RECIPIENT_KINDS if recipient and recipient.get(kind) not in (None, "")]
        key = recipient[kinds[0]] if recipient and len(kinds) == 1 else None
        message = parameters.get("message")
        return cls(
            parameters,
            _step(parameters),
            recipient,
            kinds[0] if len(kinds) == 1 else None,
            key if isinstance(key, str) else None,
            message if isinstance(message, dict) else {},
            files,
        )

    @classmethod
    def reading(cls, person: str | None) -> Call:
        """A look in the conversation with a person, or in all of them."""
        recipient = None if person is None else {"id": person}
        return cls({}, READ, recipient, None if person is None else "id", person, {})

    def as_upload(self) -> Call:
        """The same as an upload, which has no recipient."""
        return Call(self.parameters, UPLOAD, None, None, None, self.message, self.files)

    def text_of(self, field: str) -> str | None:
        """The message's field of this name where it is a string."""
        value = self.message.get(field)
        return value if isinstance(value, str) else None

    def conversation(self, page: str) -> str | None:
        """The key of (page, recipient), None without a usable recipient."""
        return None if self.recipient_key is None else f"{page}/{self.recipient_kind}:{self.recipient_key}"


def attachments_of(message: Mapping[str, object]) -> list[Mapping[str, object]]:
    """What is attached to a message: one thing, or several (SEND_API 3, Media)."""
    several = message.get("attachments")
    given = [message.get("attachment"), *(several if isinstance(several, list) else [])]
    return [attachment for attachment in given if isinstance(attachment, dict)]


def _step(parameters: Mapping[str, object]) -> str | None:
    action = parameters.get("sender_action")
    has_message = "message" in parameters or "template" in parameters
    if action is None:
        return MESSAGE if has_message else None
    if has_message or not isinstance(action, str):
        return None
    # Meta's pages write typing_on, its SDK TYPING_ON: both are in use (SEND_API 1).
    name = action.lower()
    return name if name in SENDER_ACTIONS else None
