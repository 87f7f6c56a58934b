"""Page tokens and app secrets at rest: encrypted with the newest of ``ENVOI_SECRET_KEYS``, read with any."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import SecretStr

from envoi.log.errors import BadSecretKeys

_HOW = 'make one with: python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'


class SecretBox:
    """Seals tokens and secrets. What goes in and comes out is a ``SecretStr``, so no repr and no log line shows it.

    Args:
        keys: Fernet keys, the newest first (settings: ``secret_keys``).

    Raises:
        BadSecretKeys: there is no key, or one is malformed.
    """

    def __init__(self, keys: Sequence[SecretStr]) -> None:
        if not keys:
            raise BadSecretKeys(f"ENVOI_SECRET_KEYS is empty, and page tokens are kept encrypted; {_HOW}")
        self._fernet = MultiFernet([_fernet(number, key) for number, key in enumerate(keys, 1)])

    def seal(self, secret: SecretStr) -> bytes:
        """Encrypt with the newest key."""
        return self._fernet.encrypt(secret.get_secret_value().encode())

    def open(self, sealed: bytes) -> SecretStr:
        """Decrypt with whichever key fits.

        Raises:
            BadSecretKeys: none does.
        """
        try:
            return SecretStr(self._fernet.decrypt(sealed).decode())
        except InvalidToken:
            raise _no_key_fits() from None

    def rotate(self, sealed: bytes) -> bytes:
        """Encrypt anew with the newest key, so that an older one can be withdrawn.

        Raises:
            BadSecretKeys: no key fits.
        """
        try:
            return self._fernet.rotate(sealed)
        except InvalidToken:
            raise _no_key_fits() from None


def needed(box: SecretBox | None) -> SecretBox:
    """The box of a store that was opened with one.

    Raises:
        TypeError: it was opened without; a mistake of ours.
    """
    if box is None:
        raise TypeError("this store was opened without the keys of tokens and secrets")
    return box


def key_id(key: SecretStr) -> str:
    """A name for a key by which two hosts can be compared: eight characters of a hash, of which no key is found."""
    return hashlib.sha256(b"envoi key id:" + key.get_secret_value().encode()).hexdigest()[:8]


def _fernet(number: int, key: SecretStr) -> Fernet:
    try:
        return Fernet(key.get_secret_value())
    except ValueError:
        # Not Fernet's own error: its traceback would hold the key.
        raise BadSecretKeys(f"ENVOI_SECRET_KEYS: key number {number} is not a Fernet key; {_HOW}") from None


def _no_key_fits() -> BadSecretKeys:
    return BadSecretKeys("ENVOI_SECRET_KEYS holds no key that this token was encrypted with")
