"""Page tokens: read from SQL, decrypted, and kept in this process's memory only."""

from __future__ import annotations

import threading

from cryptography.fernet import InvalidToken
from pydantic import SecretStr
from sqlalchemy.exc import SQLAlchemyError

from envoi.log.pages import PageStore


class NoTokenError(Exception):
    """No token is kept for this page, or none that can be decrypted."""


class TokensUnavailableError(Exception):
    """The token is not in memory and SQL did not answer."""


class Tokens:
    """The tokens of pages, by version: a rotated token is read anew at once. Threads share it."""

    def __init__(self, store: PageStore) -> None:
        self._store = store
        self._known: dict[str, tuple[int, SecretStr]] = {}
        self._lock = threading.Lock()

    def get(self, page: str, version: int) -> SecretStr:
        """The token of a page.

        Args:
            page: the page's id.
            version: at least this version of its token, as the queue knows it.

        Raises:
            NoTokenError: nothing to send with; an operator has to add the page or its key.
            TokensUnavailableError: try again later.
        """
        known = self._known.get(page)
        if known and known[0] >= version:
            return known[1]
        with self._lock:  # one read for all threads that wait for the same page
            known = self._known.get(page)
            if not known or known[0] < version:
                known = self._read(page)
                self._known[page] = known
        return known[1]

    def _read(self, page: str) -> tuple[int, SecretStr]:
        try:
            token, version = self._store.token(page)
        except KeyError:
            raise NoTokenError(f"no token for page {page}: `envoi pages add {page}`") from None
        except InvalidToken:
            raise NoTokenError(f"the token of page {page} cannot be decrypted with ENVOI_SECRET_KEYS") from None
        except SQLAlchemyError as error:
            raise TokensUnavailableError(f"the page's token cannot be read now ({type(error).__name__})") from None
        return version, token
