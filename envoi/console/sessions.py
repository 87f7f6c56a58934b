"""Sessions of operators: a signed cookie, and a token for the forms of each."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from envoi.settings import Settings

_ENDED = 10_000  # sessions that were logged out are remembered, the newest


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who knew the password.

    Attributes:
        until: seconds since the epoch.
        token: what each form of this session carries, so that no other site can post one.
    """

    id: str
    until: float
    token: str

    @property
    def short(self) -> str:
        """What tells it from others in the log; nobody can use it."""
        return hashlib.sha256(self.id.encode()).hexdigest()[:8]


class Sessions:
    """Makes and reads cookies. Nothing is stored but what was logged out.

    Args:
        key: signs them.
        life: seconds that a session lasts.
        clock: seconds since the epoch.
    """

    def __init__(self, key: bytes, life: float, clock: Callable[[], float] = time.time) -> None:
        self._key = key
        self._life = life
        self._clock = clock
        self._ended: deque[str] = deque(maxlen=_ENDED)

    def begin(self) -> str:
        """The cookie of a new session."""
        name, until = secrets.token_urlsafe(18), str(int(self._clock() + self._life))
        return f"{name}.{until}.{self._sign('session', name, until)}"

    def read(self, cookie: str) -> Session | None:
        """Whose cookie it is; None: nobody's, or its session is over."""
        parts = cookie.split(".")
        if len(parts) != 3 or not cookie.isascii():  # noqa: PLR2004  # name, end, signature
            return None
        name, until, signature = parts
        if not hmac.compare_digest(signature, self._sign("session", name, until)):
            return None
        if float(until) <= self._clock() or name in self._ended:
            return None
        return Session(name, float(until), self._sign("form", name, until))

    def end(self, session: Session) -> None:
        """Log it out: its cookie is good for nothing more, also if somebody kept it."""
        self._ended.append(session.id)

    def _sign(self, *parts: str) -> str:
        return hmac.new(self._key, "\0".join(parts).encode(), hashlib.sha256).hexdigest()


def session_key(settings: Settings, stored_password: str) -> bytes:
    """What cookies are signed with: it changes with the password, so that a new one ends every session.

    Without ``ENVOI_SECRET_KEYS`` it is drawn by lot, and sessions end with the process.
    """
    root = settings.secret_keys[0].get_secret_value().encode() if settings.secret_keys else os.urandom(32)
    return hmac.new(root, b"envoi console sessions\0" + stored_password.encode(), hashlib.sha256).digest()
