"""What is said of a job's fields where pydantic's own words would not do, and where each rule comes from."""

from __future__ import annotations

from envoi.fields import PAGE_ID_LIMIT

_DIGITS = "must be a string of 1 to 64 digits"
LIMITS = {
    "page": PAGE_ID_LIMIT,
    "recipient.id": _DIGITS,
    "recipient.comment_id": "must be a string of digits, with '_' between its parts",
    "recipient.post_id": "must be a string of digits, with '_' between its parts",
    "recipient.phone_number": "must be a number such as +1(212)555-2368",
    "persona_id": _DIGITS,
    "on_outcome": "must be celery:<task name>, celery:<task name>@<queue> or stream:<name>",
    "replay_of": "must be a job's id",
    "template": "goes in place of message, not beside it",
    "on_unknown": "must be 'stop' or 'resend'",
    # By the last part of the path, inside a message:
    "*.url": "must be an address that begins with http:// or https://",
    "*.image_url": "must be an address that begins with http:// or https://",
    "*.fallback_url": "must be an address that begins with http:// or https://",
    "*.coupon_url": "must be an address that begins with http:// or https://",
    "*.order_url": "must be an address that begins with http:// or https://",
    "*.street_2": "must not contain the character NUL",
    "*.code": "must be a language such as en_US",
    "*.attachment_id": _DIGITS,
    "*.sticker_id": _DIGITS,
    "*.id": "must be digits; of a question: at most 80 letters, digits and '_'",
    "*.currency": "must be three capital letters, such as EUR",
    "*.timestamp": "must be seconds since 1970, as a string of 1 to 10 digits",
    "*.payload": "must be a number such as +15551234567",
}
SOURCES = {
    "recipient.id": "SEND_API 1",
    "recipient.comment_id": "SEND_API 2",
    "recipient.post_id": "SEND_API 2",
    "recipient.phone_number": "SEND_API 2",
    "message.text": "SEND_API 3",
    "message.attachment": "SEND_API 3",
    "message.attachments": "SEND_API 3",
    "message.quick_replies": "SEND_API 3",
    "message.template": "SEND_API 3",
    "message.sticker_id": "SEND_API 3",
    "message.metadata": "SEND_API 12, less what the job's id takes",
    "messaging_type": "SEND_API 2",
    "notification_type": "SEND_API 2",
    "tag": "SEND_API 2",
}
