"""What can go wrong with the log.

LogError (an EnvoiError)
├── LogUnavailable   the database did not answer, or refused the connection
├── SchemaMissing    the database has no tables, or older ones; or the migrations are not at hand
├── BadSecretKeys    ENVOI_SECRET_KEYS is empty or malformed, or holds no key that a token was encrypted with
├── UnknownPage      no page of this id was ever added
├── UnknownApp       no app of this id was ever added
└── AppInUse         the app has pages, so it cannot be removed
"""

from __future__ import annotations

from envoi.errors import EnvoiError


class LogError(EnvoiError):
    """The base of the log's errors."""


class LogUnavailable(LogError):  # noqa: N818  # named like QueueUnavailable, its counterpart
    """The database did not answer, or refused the connection."""


class SchemaMissing(LogError):  # noqa: N818  # says what is wrong, as its siblings do
    """The tables are missing or older than this version of Envoi, or the migrations are not at hand."""


class BadSecretKeys(LogError):  # noqa: N818  # says what is wrong, as its siblings do
    """``ENVOI_SECRET_KEYS`` is empty or malformed, or holds no key that a token was encrypted with."""


class UnknownPage(LogError):  # noqa: N818  # named like UnknownJob, its counterpart
    """No page of this id was ever added."""


class UnknownApp(LogError):  # noqa: N818  # named like UnknownPage, its sibling
    """No app of this id was ever added."""


class AppInUse(LogError):  # noqa: N818  # says what is wrong, as its siblings do
    """The app has pages, so it cannot be removed."""
