"""The console's password: kept as an scrypt hash, compared in constant time."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from pathlib import Path
from typing import Self

from envoi.errors import EnvoiError
from envoi.settings import Settings

SHORTEST, LONGEST = 12, 1024  # characters; bytes
_N, _R, _P = 1 << 15, 8, 1  # 32 MB and some 0.1 s a try
_SHORTEST_DIGEST = 16  # bytes
_MEMORY = 128 * 1024 * 1024  # bytes that OpenSSL may use, whatever a hash asks for
_HOW = "make a hash with `envoi console --hash`, or name a file that holds the password in ENVOI_CONSOLE_PASSWORD_FILE"


class BadPassword(EnvoiError):  # noqa: N818  # says what is wrong, as all errors of Envoi do
    """There is no password for the console, or it cannot be used; the console does not start."""


class Password:
    """What is compared with.

    Args:
        stored: as :func:`hashed` writes it.

    Raises:
        BadPassword: it is no such hash.
    """

    def __init__(self, stored: str) -> None:
        self.stored = stored
        try:
            name, n, r, p, salt, digest = stored.split(":")
            self._cost = (int(n), int(r), int(p))
            self._salt, self._digest = _bytes(salt), _bytes(digest)
            usable = name == "scrypt" and len(self._digest) >= _SHORTEST_DIGEST
            _scrypt(b"", self._salt, self._cost)
        except (ValueError, MemoryError, binascii.Error):
            usable = False
        if not usable:
            raise BadPassword(f"ENVOI_CONSOLE_PASSWORD is no hash of a password: {_HOW}")

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The password that the settings say.

        Raises:
            BadPassword: they say none, or it cannot be read.
        """
        if settings.console_password is not None:
            return cls(settings.console_password.get_secret_value().strip())
        if settings.console_password_file is None:
            raise BadPassword(f"the console does not start without a password: {_HOW}")
        try:
            found = Path(settings.console_password_file).read_text("utf-8").strip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise BadPassword(f"ENVOI_CONSOLE_PASSWORD_FILE cannot be read: {why}") from None
        return cls(found if found.startswith("scrypt:") else hashed(found))

    def fits(self, given: str) -> bool:
        """Whether this is it. Takes as long either way."""
        tried = given.encode("utf-8", "replace")
        found = _scrypt(tried[:LONGEST], self._salt, self._cost, len(self._digest))
        return hmac.compare_digest(found, self._digest) and len(tried) <= LONGEST


def hashed(password: str) -> str:
    """A hash to keep, with a salt of its own; without ``$``, which compose files would replace.

    Raises:
        BadPassword: the password is too short or too long.
    """
    if len(password) < SHORTEST or len(password.encode("utf-8", "replace")) > LONGEST:
        raise BadPassword(f"the console's password must have {SHORTEST} characters at least, {LONGEST} bytes at most")
    salt = os.urandom(16)
    digest = _scrypt(password.encode("utf-8", "replace"), salt, (_N, _R, _P))
    return f"scrypt:{_N}:{_R}:{_P}:{_text(salt)}:{_text(digest)}"


def _scrypt(password: bytes, salt: bytes, cost: tuple[int, int, int], length: int = 32) -> bytes:
    n, r, p = cost
    return hashlib.scrypt(password, salt=salt, n=n, r=r, p=p, maxmem=_MEMORY, dklen=length)


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
