"""A token that Graph refused: is it dead, or was that a blip? ``GET debug_token`` tells (SEND_API 6).

Asked only after a message call was refused for its token, once for all calls in flight, and some few times an hour for
one token: one that lives by ``debug_token`` and is refused all the same pauses its page in the end.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeGuard

import structlog

from envoi.events import GraphError
from envoi.log.credentials import Credentials
from envoi.settings import Settings
from envoi.token_check import AppToken, TokenCheck
from worker.envelope import base_of
from worker.verdicts import Refused, Throttled, Verdict

BLIP: Final = 30.0  # seconds that the page is held when its token turns out to live
_MOST, _SPAN = 3, 3600.0  # so many questions about one token in so many seconds
_TIME = 5.0  # seconds for each step of a question
_CODES = frozenset({102, 190})  # session invalid; invalid or expired token (SEND_API 4)

log = structlog.get_logger()


@dataclass(slots=True)
class _Doubt:
    """What is known of one page's token, of one version."""

    version: int
    lock: threading.Lock = field(default_factory=threading.Lock)
    asked: list[float] = field(default_factory=list)
    lives_until: float = -1e18  # up to then the last answer holds
    dead: bool = False


class TokenDoubts:
    """Tells dead tokens from blips. Threads share it.

    Args:
        settings: host, version, the default app.
        clock: monotonic seconds.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._doubts: dict[str, _Doubt] = {}

    def concern(self, verdict: Verdict, credentials: Credentials) -> bool:
        """Whether the verdict of a message call says that its token is refused, and Graph can be asked about it."""
        return _refuses_token(verdict) and self._app(credentials) is not None

    def reconsider(self, verdict: Verdict, page: str, credentials: Credentials) -> Verdict:
        """The verdict of a message call, seen once more. It may wait for Graph, for seconds.

        Returns:
            A short throttle of the page if the token was refused and lives; else the verdict as it was, also where
            nobody can say.
        """
        app = self._app(credentials)
        if not _refuses_token(verdict) or app is None or not self._lives(page, credentials, app):
            return verdict
        error = verdict.error
        told = f"refused, but debug_token says that the token lives: {error.message}"
        return Throttled(GraphError(told, error.code, error.subcode), "page", BLIP)

    def _app(self, credentials: Credentials) -> AppToken | None:
        own = self._settings
        app = credentials.app or own.app_id
        secret = credentials.app_secret if credentials.app else own.own_app_secret
        return AppToken(app, secret) if app and secret else None

    def _lives(self, page: str, credentials: Credentials, app: AppToken) -> bool:
        doubt = self._doubt(page, credentials.version)
        if doubt.version > credentials.version:
            return False  # a newer one has been refused since: whether that lives says nothing of this one
        with doubt.lock:  # one question for all calls in flight
            now = self._clock()
            if now < doubt.lives_until:
                return True
            doubt.asked = [at for at in doubt.asked if at > now - _SPAN]
            if doubt.dead or len(doubt.asked) >= _MOST:
                return False
            doubt.asked.append(now)
            lives = self._ask(page, credentials, app)
            doubt.dead = lives is False
            if lives:
                doubt.lives_until = self._clock() + BLIP
            return lives is True

    def _doubt(self, page: str, version: int) -> _Doubt:
        """Of the newest version of the page's token that was refused."""
        with self._lock:
            doubt = self._doubts.get(page)
            if doubt is None or doubt.version < version:
                doubt = self._doubts[page] = _Doubt(version)
            return doubt

    def _ask(self, page: str, credentials: Credentials, app: AppToken) -> bool | None:
        lives = TokenCheck(base_of(credentials, self._settings), _TIME, app=app).lives(credentials.token)
        log.warning("a token was refused", action="debug_token", page=page, version=credentials.version, lives=lives)
        return lives


def _refuses_token(verdict: Verdict) -> TypeGuard[Refused]:
    return isinstance(verdict, Refused) and verdict.scope == "page" and verdict.error.code in _CODES
