"""Page tokens and app secrets: read from SQL, decrypted, and kept in this process's memory only."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from envoi.log.credentials import Credentials, sendable
from envoi.log.errors import BadSecretKeys, LogUnavailable, SchemaMissing, UnknownPage


class NoTokenError(Exception):
    """No token is kept for this page, or none that can be decrypted or sent: an operator has to act."""


class TokensUnavailableError(Exception):
    """The token is not in memory and SQL did not answer: try again later."""


class TokenStore(Protocol):
    """Where tokens are kept: :class:`envoi.log.pages.PageStore`."""

    def credentials(self, page: str) -> Credentials:
        """A page's token and what goes with it."""

    def all_credentials(self) -> dict[str, Credentials]:
        """Every page's."""


@dataclass(slots=True)
class _Shelf:
    """What is known of one page's token.

    Attributes:
        failed_at: monotonic seconds of the last read that failed; ``failure`` is its error.
    """

    lock: threading.Lock = field(default_factory=threading.Lock)
    found: Credentials | None = None
    failed_at: float = 0.0
    failure: Exception | None = None


class Tokens:
    """The tokens of pages, by version: a rotated token is read anew at once. Threads share it.

    Args:
        store: where they are kept.
        clock: monotonic seconds.
    """

    def __init__(self, store: TokenStore, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._shelves: dict[str, _Shelf] = {}

    def load(self) -> int:
        """Read the tokens of all pages, so that SQL may be away from now on. Returns how many there are.

        Raises:
            TokensUnavailableError: SQL did not answer.
        """
        try:
            found = self._store.all_credentials()
        except (LogUnavailable, SchemaMissing) as error:
            raise TokensUnavailableError(str(error)) from None
        for page, credentials in found.items():
            if sendable(credentials.token):
                self._shelves[page] = _Shelf(found=credentials)
        return len(found)

    def known(self, page: str, version: int) -> Credentials | None:
        """The same as :meth:`get`, as far as it is in memory: it waits for nothing."""
        shelf = self._shelves.get(page)
        found = shelf.found if shelf else None
        return found if found and found.version >= version else None

    def get(self, page: str, version: int) -> Credentials:
        """The token of a page, with its app and its host.

        Args:
            page: the page's id.
            version: at least this version of its token, as the queue knows it.

        Raises:
            NoTokenError: nothing to send with; an operator has to add the page or its key.
            TokensUnavailableError: try again later.
        """
        shelf = self._shelves.get(page) or self._shelves.setdefault(page, _Shelf())
        found = shelf.found
        if found and found.version >= version:
            return found
        asked = self._clock()
        with shelf.lock:  # one read for all threads that wait for the same page
            if shelf.found and shelf.found.version >= version:
                return shelf.found
            if shelf.failure and shelf.failed_at >= asked:  # while we waited: not each in turn waits for a dead SQL
                raise type(shelf.failure)(*shelf.failure.args)
            try:
                shelf.found = self._read(page)
            except (NoTokenError, TokensUnavailableError) as error:
                shelf.failure, shelf.failed_at = error, self._clock()
                raise
            shelf.failure = None
            return shelf.found

    def _read(self, page: str) -> Credentials:
        try:
            found = self._store.credentials(page)
        except UnknownPage:
            raise NoTokenError(f"no token for page {page}: `envoi pages add {page}`") from None
        except BadSecretKeys:
            why = f"the token of page {page}, or its app's secret, cannot be decrypted with ENVOI_SECRET_KEYS"
            raise NoTokenError(why) from None
        except (LogUnavailable, SchemaMissing) as error:
            raise TokensUnavailableError(f"the page's token cannot be read now ({type(error).__name__})") from None
        if not sendable(found.token):
            raise NoTokenError(f"the token of page {page} cannot be sent in a header: `envoi pages rotate {page}`")
        return found
