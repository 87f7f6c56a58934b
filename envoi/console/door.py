"""Log in, log out."""

from __future__ import annotations

import threading

import structlog
from starlette.responses import Response

from envoi.console.answer import rendered, sent_to
from envoi.console.ask import Ask, local_path
from envoi.console.house import House
from envoi.console.password import Password
from envoi.console.sessions import Sessions
from envoi.console.tries import Tries

_AT_ONCE = 2  # passwords that are compared at once: each takes 32 MB
_PATIENCE = 5.0  # seconds that a try waits for its turn

log = structlog.get_logger()


class Door:
    """Lets in who knows the password.

    Args:
        sessions: those who were let in.
        password: what they know.
        cookie: the name of the session's cookie.
        tries: how often a host may try.
    """

    def __init__(self, sessions: Sessions, password: Password, cookie: str, tries: Tries | None = None) -> None:
        self._sessions = sessions
        self._password = password
        self._cookie = cookie
        self._tries = tries or Tries()
        self._turns = threading.BoundedSemaphore(_AT_ONCE)

    def show(self, house: House, ask: Ask) -> Response:
        """The question."""
        following = local_path(ask.query.get("next"))
        return sent_to(following) if ask.session else _asked(house, ask, following)

    def enter(self, house: House, ask: Ask) -> Response:
        """The answer."""
        following = local_path(ask.form.get("next"))
        wait = self._tries.wait(ask.host)
        if wait > 0 or not self._turns.acquire(timeout=_PATIENCE):
            problem = f"Too many wrong tries. Wait {max(1, round(wait))} seconds, then try again."
            return _asked(house, ask, following, problem=problem, status=429)
        try:
            self._tries.wrong(ask.host)  # before it is compared: many at once are many tries
            fits = self._password.fits(ask.form.get("password"))
        finally:
            self._turns.release()
        if not fits:
            log.warning("a wrong password was tried", action="console_wrong_password", host=ask.host)
            return _asked(house, ask, following, problem="That is not the password.", status=403)
        self._tries.right(ask.host)
        cookie = self._sessions.begin()
        entered = self._sessions.read(cookie)
        log.info(
            "somebody logged in", action="console_login", host=ask.host, session=entered.short if entered else None
        )
        answer = sent_to(following)
        self._set(answer, cookie, house.settings.console_session)
        return answer

    def leave(self, _house: House, ask: Ask) -> Response:
        """Log out."""
        if ask.session:
            self._sessions.end(ask.session)
            log.info("somebody logged out", action="console_logout", host=ask.host, session=ask.session.short)
        answer = sent_to("/login")
        self._set(answer, "", 0)
        return answer

    def _set(self, answer: Response, value: str, seconds: float) -> None:
        secure = self._cookie.startswith("__Host-")
        answer.set_cookie(self._cookie, value, int(seconds), path="/", secure=secure, httponly=True, samesite="strict")


def _asked(house: House, ask: Ask, following: str, *, problem: str = "", status: int = 200) -> Response:
    return rendered(house, ask, "login.html", status=status, following=following, problem=problem)
