"""Control: latency, usage headers, switches, and the clock."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import ConfigDict, TypeAdapter
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.control_input import read_body
from sandbox.faults import Seconds
from sandbox.latency import Latency
from sandbox.limits import Limits
from sandbox.replies import reply
from sandbox.switches import Switches
from sandbox.usage import Usage
from sandbox.world import Sandbox, World


@dataclass(frozen=True, slots=True, kw_only=True)
class Advance:
    """How far to put the clock forward."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    seconds: Seconds


_ADVANCE: TypeAdapter[Advance] = TypeAdapter(Advance)
# Each is an attribute of World; what a PUT leaves out goes back to its default.
_SETTINGS: dict[str, TypeAdapter[Any]] = {
    "latency": TypeAdapter(Latency),
    "usage": TypeAdapter(Usage),
    "switches": TypeAdapter(Switches),
    "limits": TypeAdapter(Limits),
}


def setting_routes(sandbox: Sandbox) -> list[Route]:
    """The routes of all this."""
    routes = []
    for name in _SETTINGS:
        routes.append(Route(f"/sandbox/{name}", _reader(sandbox, name), methods=["GET"]))
        routes.append(Route(f"/sandbox/{name}", _writer(sandbox, name), methods=["PUT"]))
    return [*routes, Route("/sandbox/clock/advance", _advancer(sandbox), methods=["POST"])]


def _reader(sandbox: Sandbox, name: str) -> Callable[[Request], Awaitable[Response]]:
    async def read(request: Request) -> Response:  # noqa: ARG001  # the signature of a handler
        return reply(setting_shown(sandbox.world, name))

    return read


def _writer(sandbox: Sandbox, name: str) -> Callable[[Request], Awaitable[Response]]:
    async def write(request: Request) -> Response:
        setattr(sandbox.world, name, await read_body(request, _SETTINGS[name]))
        sandbox.feed.settings()
        return reply(setting_shown(sandbox.world, name))

    return write


def _advancer(sandbox: Sandbox) -> Callable[[Request], Awaitable[Response]]:
    async def advance(request: Request) -> Response:
        clock = sandbox.world.clock
        clock.advance((await read_body(request, _ADVANCE)).seconds)
        sandbox.feed.everything()
        return reply({"now": clock.now(), "ahead_seconds": clock.ahead_seconds})

    return advance


def setting_shown(world: World, name: str) -> object:
    """A setting, by its name in the path."""
    return _SETTINGS[name].dump_python(getattr(world, name), mode="json")
