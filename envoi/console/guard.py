"""Who may ask the console, and what is answered when something fails."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Awaitable, Callable
from dataclasses import replace
from urllib.parse import urlencode, urlsplit

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from envoi.console.answer import NotHere, rendered, sent_to
from envoi.console.ask import Ask, BadForm, form_of, read_pairs
from envoi.console.house import House
from envoi.console.notes import Note
from envoi.console.sessions import Sessions
from envoi.errors import (
    EnvoiError,
    InvalidConversation,
    QueueFull,
    QueueUnavailable,
    Recovering,
    UnknownBroadcast,
    UnknownJob,
)
from envoi.log.errors import LogUnavailable, SchemaMissing, UnknownPage

Handler = Callable[[House, Ask], Response]
Endpoint = Callable[[Request], Awaitable[Response]]

_AWAY = (LogUnavailable, SchemaMissing, QueueUnavailable, QueueFull, Recovering)
_MISSING = (NotHere, UnknownJob, UnknownPage, UnknownBroadcast, InvalidConversation)

log = structlog.get_logger()


class Guard:
    """Stands before every page.

    Args:
        house: what pages are made from.
        sessions: who has said the password.
    """

    def __init__(self, house: House, sessions: Sessions) -> None:
        self._house = house
        self._sessions = sessions
        self._url = house.settings.console_url

    @property
    def secure(self) -> bool:
        """Whether people reach the console by https."""
        return self._url is not None and self._url.startswith("https://")

    @property
    def cookie(self) -> str:
        """The name of the session's cookie; with https one that no other host and no plain http can set."""
        return "__Host-envoi" if self.secure else "envoi_console"

    def guarded(self, handler: Handler) -> Endpoint:
        """A page for those who have said the password."""
        return self._endpoint(handler, everybody=False)

    def opened(self, handler: Handler) -> Endpoint:
        """A page for everybody."""
        return self._endpoint(handler, everybody=True)

    async def lost(self, request: Request, _error: Exception) -> Response:
        """There is no such page."""
        return await self.guarded(_nothing)(request)

    def _endpoint(self, handler: Handler, *, everybody: bool) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            ask = Ask(None, _asked(request), named=request.path_params, host=_host(request))
            if not self._named_so(request.headers.get("host", "")):
                text = "This console is not called so. Set ENVOI_CONSOLE_URL to the address that people reach it by."
                return self._failed(ask, 421, "Not this address", text)
            try:
                ask = self._read(request, ask)
                asked = await self._posted(request, ask, everybody=everybody) if request.method == "POST" else ask
            except BadForm as error:
                return self._failed(ask, 400, "Not a form of this console", f"{error}.")
            if isinstance(asked, Response):
                return asked
            if asked.session is None and not everybody:
                return sent_to(f"/login?{_next(request)}")
            return await run_in_threadpool(self._answered, handler, asked, acts=request.method == "POST")

        return endpoint

    def _read(self, request: Request, ask: Ask) -> Ask:
        """Who asks, and with what in the address.

        Raises:
            BadForm: no page of the console has such an address.
        """
        if any("\0" in part for part in ask.named.values()):
            raise BadForm("the address holds a NUL")
        session = self._sessions.read(request.cookies.get(self.cookie, ""))
        return replace(ask, session=session, query=read_pairs(request.url.query))

    async def _posted(self, request: Request, ask: Ask, *, everybody: bool) -> Ask | Response:
        """The form; a post from elsewhere, or of nobody, is refused before its body is read.

        Raises:
            BadForm: it is none, or too large.
        """
        if not self._own(request):
            return self._forged(ask, "It did not come from a page of this console.")
        if ask.session is None and not everybody:
            return sent_to("/login")
        ask = replace(ask, form=await form_of(request))
        if ask.session and not hmac.compare_digest(ask.form.get("token").encode(), ask.session.token.encode()):
            return self._forged(ask, "The form is not of this session. Go back, reload, and try again.")
        return ask

    def _own(self, request: Request) -> bool:
        """Whether a page of this console has sent it, by what browsers say and pages cannot forge."""
        origin = request.headers.get("origin")
        if origin is None:
            return request.headers.get("sec-fetch-site") == "same-origin"
        return origin == (self._url or f"http://{request.headers.get('host')}")

    def _named_so(self, host: str) -> bool:
        """Whether the console is called so: a name that is let point here by somebody else is not its own."""
        if self._url is not None and host == urlsplit(self._url).netloc:
            return True
        try:
            name = urlsplit(f"//{host}").hostname or ""
            return name == "localhost" or bool(ipaddress.ip_address(name))
        except ValueError:
            return False

    def _forged(self, ask: Ask, text: str) -> Response:
        log.warning("a form was refused", action="console_refused", path=ask.path, host=ask.host)
        return self._failed(ask, 403, "Refused", text)

    def _answered(self, handler: Handler, ask: Ask, *, acts: bool) -> Response:
        try:
            return handler(self._house, ask)
        except BadForm as error:
            return self._failed(ask, 400, "Not a form of this console", f"{error}.")
        except EnvoiError as error:
            if acts and ask.session:
                self._house.notes.leave(ask.session.id, Note("bad", f"{error}"))
                return sent_to(ask.back)
            if isinstance(error, _MISSING):
                return self._failed(ask, 404, "Not found", f"{error}.")
            if isinstance(error, _AWAY):
                return self._failed(ask, 503, "Not reachable", f"{error}.")
            return self._failed(ask, 409, "Not possible", f"{error}.")

    def _failed(self, ask: Ask, status: int, title: str, text: str) -> Response:
        return rendered(self._house, ask, "failed.html", status=status, title=title, text=text[:1].upper() + text[1:])


def _nothing(_house: House, _ask: Ask) -> Response:
    raise NotHere("there is no such page in this console")


def _asked(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def _host(request: Request) -> str:
    return request.client.host if request.client else ""


def _next(request: Request) -> str:
    return urlencode({"next": _asked(request)})
