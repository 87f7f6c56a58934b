"""The window: how long after a person's last sign of life a message may follow (SEND_API 2, The window, Tag rules)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

STANDARD = 86_400  # seconds
TAGGED = 7 * 86_400  # seconds
KEPT = 8 * 86_400  # seconds that a person's last sign of life is known in Redis: longer than any window
_SEVEN_DAYS = ("HUMAN_AGENT", "CUSTOMER_FEEDBACK")


class WindowClosed(UserWarning):
    """A message is enqueued to a person whose window is closed (``ENVOI_WINDOW=warn``)."""


def window_rule(job: Mapping[str, Any]) -> int | None:
    """How long after the person's last sign of life this message may go out, in seconds.

    None where no such rule holds: for the tags without a limit, UTILITY, and recipients that are not given by ``id``.

    Args:
        job: the job as enqueued: its Send API parameters by their names.
    """
    if "id" not in job["recipient"]:
        return None
    if job.get("reply_to"):
        return STANDARD  # "needs a user message within the last 24 h", whatever the type
    if job.get("messaging_type") == "MESSAGE_TAG":
        return TAGGED if job.get("tag") in _SEVEN_DAYS else None
    return None if job.get("messaging_type") == "UTILITY" else STANDARD
