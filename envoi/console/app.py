"""The console as an ASGI app: which page is where."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from envoi.console import acts, broadcasts, conversation, job, job_acts, jobs, overview, pages, search
from envoi.console.door import Door
from envoi.console.guard import Guard, Handler
from envoi.console.headers import Headers
from envoi.console.house import House
from envoi.console.password import Password
from envoi.console.sessions import Sessions, session_key

_GET: dict[str, Handler] = {
    "/": overview.show,
    "/jobs": jobs.show,
    "/jobs/{job}": job.show,
    "/search": search.show,
    "/conversation": conversation.show,
    "/pages": pages.show,
    "/broadcasts": broadcasts.show_list,
    "/broadcasts/{broadcast}": broadcasts.show_one,
}
_POST: dict[str, Handler] = {
    "/jobs/act": job_acts.on_jobs,
    "/jobs/{job}": job.show_words,
    "/conversation": conversation.show_words,
    "/conversation/act": acts.on_conversation,
    "/pages/act": acts.on_page,
    "/broadcasts/act": acts.on_broadcast,
}


def console_app(house: House) -> ASGIApp:
    """The console.

    Raises:
        BadPassword: there is no password to ask for.
    """
    password = Password.of(house.settings)
    key = session_key(house.settings, password.stored)
    sessions = Sessions(key, house.settings.console_session)
    guard = Guard(house, sessions)
    door = Door(sessions, password, guard.cookie)
    routes = [
        Route("/healthz", _healthz),
        Mount("/static", StaticFiles(directory=Path(__file__).with_name("static"))),
        Route("/login", guard.opened(door.show), methods=["GET"]),
        Route("/login", guard.opened(door.enter), methods=["POST"]),
        Route("/logout", guard.guarded(door.leave), methods=["POST"]),
        *(Route(path, guard.guarded(handler), methods=["POST"]) for path, handler in _POST.items()),
        *(Route(path, guard.guarded(handler), methods=["GET"]) for path, handler in _GET.items()),
    ]
    return Headers(Starlette(routes=routes, exception_handlers={404: guard.lost, 405: guard.lost}), secure=guard.secure)


def _healthz(_request: Request) -> PlainTextResponse:
    """That this process answers. It asks neither log nor queue: the console has to show when those are away."""
    return PlainTextResponse("ok\n")
