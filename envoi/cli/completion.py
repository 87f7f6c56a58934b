"""What a shell offers where an argument or option is to be completed: words that are fixed, and ids from the log."""

from __future__ import annotations

from collections.abc import Callable

from envoi.errors import EnvoiError

Offer = Callable[[str], list[str]]


def words(*choices: str) -> Offer:
    """Offers fixed words."""

    def offer(incomplete: str) -> list[str]:
        return [word for word in choices if word.startswith(incomplete)]

    return offer


def pages(incomplete: str) -> list[str]:
    """Offers pages that were added."""
    return _ids("pages", incomplete)


def apps(incomplete: str) -> list[str]:
    """Offers apps that were added."""
    return _ids("apps", incomplete)


def broadcasts(incomplete: str) -> list[str]:
    """Offers the newest broadcasts."""
    return _ids("broadcasts", incomplete)


def _ids(table: str, beginning: str) -> list[str]:
    try:
        from envoi.cli import log  # noqa: PLC0415  # loads SQLAlchemy

        return log.ids(table, beginning)
    except (EnvoiError, ImportError):
        return []  # a shell that completes has no place for an error; the command itself will tell


LANES = words("replies", "bulk")
PLATFORMS = words("messenger", "instagram")
ACTIONS = words("mark_seen", "typing_on", "typing_off", "react", "unreact")
MESSAGING_TYPES = words("RESPONSE", "UPDATE", "MESSAGE_TAG", "UTILITY")
NOTIFICATION_TYPES = words("REGULAR", "SILENT_PUSH", "NO_PUSH")
ON_UNKNOWN = words("stop", "resend")
