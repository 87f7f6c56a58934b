"""The control interface under ``/sandbox/``: faults to order, and the ledger to read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import ClassVar

from pydantic import ConfigDict, TypeAdapter
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.control_input import NotThere, Unusable, read_body, read_query
from sandbox.control_live import live_routes
from sandbox.control_pages import page_routes
from sandbox.control_people import people_routes
from sandbox.control_settings import setting_routes
from sandbox.control_webhooks import webhook_routes
from sandbox.doorway import Doorway
from sandbox.faults import Seconds
from sandbox.ledger_query import LedgerQuery, summary
from sandbox.own_origin import OwnOrigin
from sandbox.page_files import page_files
from sandbox.replies import reply
from sandbox.rules import Order, rule_shown
from sandbox.world import Sandbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """How long connections are refused."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    seconds: Seconds


_ORDER: TypeAdapter[Order] = TypeAdapter(Order)
_REFUSAL: TypeAdapter[Refusal] = TypeAdapter(Refusal)
_QUERY: TypeAdapter[LedgerQuery] = TypeAdapter(LedgerQuery)


class Control:
    """Rules, ledger, conversations, reset."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def order(self, request: Request) -> Response:
        """Put a rule into force."""
        order = await read_body(request, _ORDER)
        rule = self._sandbox.world.rules.add(order)
        self._sandbox.feed.settings()
        return reply(rule_shown(rule), 201)

    async def rules(self, request: Request) -> Response:  # noqa: ARG002  # the signature of a handler
        """Every rule in force."""
        return reply({"rules": [rule_shown(rule) for rule in self._sandbox.world.rules.all()]})

    async def lift(self, request: Request) -> Response:
        """Take one rule out of force, or all of them."""
        rules = self._sandbox.world.rules
        self._sandbox.feed.settings()
        number = request.path_params.get("number")
        if number is None:
            return reply({"removed": [rule.number for rule in rules.all() if rules.remove(rule.number)]})
        if not rules.remove(number):
            raise NotThere(f"there is no rule {number}")
        return reply({"removed": [number]})

    async def ledger(self, request: Request) -> Response:
        """Entries of the ledger, once those asked for are there."""
        query = read_query(request, _QUERY)
        entries, following = await query.read_when_there(self._sandbox.world.ledger)
        return reply({"entries": [entry.as_json() for entry in entries], "next": following})

    async def summary(self, request: Request) -> Response:  # noqa: ARG002  # the signature of a handler
        """Counts over the whole ledger."""
        return reply(summary(self._sandbox.world.ledger))

    async def conversations(self, request: Request) -> Response:  # noqa: ARG002  # the signature of a handler
        """What each person sees now."""
        world = self._sandbox.world
        now = world.clock.now()
        return reply({"conversations": [conversation.as_json(now) for conversation in world.conversations.all()]})

    async def reset(self, request: Request) -> Response:
        """Forget everything since the start."""
        self._sandbox.reset()
        return await self.health(request)

    async def health(self, request: Request) -> Response:  # noqa: ARG002  # the signature of a handler
        """That it runs, and its time."""
        world = self._sandbox.world
        return reply({"status": "ok", "now": world.clock.now(), "requests": len(world.ledger.entries)})


def control_app(sandbox: Sandbox, doorway: Doorway) -> Starlette:
    """The control interface of one sandbox, as an ASGI application."""
    control = Control(sandbox)
    return Starlette(
        routes=[
            Route("/sandbox/rules", control.rules, methods=["GET"]),
            Route("/sandbox/rules", control.order, methods=["POST"]),
            Route("/sandbox/rules", control.lift, methods=["DELETE"]),
            Route("/sandbox/rules/{number:int}", control.lift, methods=["DELETE"]),
            Route("/sandbox/ledger", control.ledger, methods=["GET"]),
            Route("/sandbox/summary", control.summary, methods=["GET"]),
            Route("/sandbox/conversations", control.conversations, methods=["GET"]),
            Route("/sandbox/reset", control.reset, methods=["POST"]),
            Route("/sandbox/health", control.health, methods=["GET"]),
            *live_routes(sandbox),
            *page_files(),
            *page_routes(sandbox),
            *people_routes(sandbox),
            *webhook_routes(sandbox),
            *setting_routes(sandbox),
            Route("/sandbox/refuse", _refuser(doorway), methods=["POST"]),
        ],
        middleware=[Middleware(OwnOrigin)],
        exception_handlers={
            Unusable: _unusable,
            NotThere: _not_there,
            HTTPException: _http_error,
            ClientDisconnect: _gone,
        },
    )


def _refuser(doorway: Doorway) -> Callable[[Request], Awaitable[Response]]:
    async def refuse(request: Request) -> Response:
        refusal = await read_body(request, _REFUSAL)
        doorway.refuse(refusal.seconds)
        return reply({"refusing_seconds": refusal.seconds})

    return refuse


async def _unusable(request: Request, error: Exception) -> Response:  # noqa: ARG001  # the signature of a handler
    return reply({"error": str(error), "problems": error.problems if isinstance(error, Unusable) else []}, 422)


async def _not_there(request: Request, error: Exception) -> Response:  # noqa: ARG001  # the signature of a handler
    return reply({"error": str(error)}, 404)


async def _gone(request: Request, error: Exception) -> Response:  # noqa: ARG001  # the signature of a handler
    return reply({"error": "hung up in the middle of a request"}, 400)  # nobody reads it; nothing was changed


async def _http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return reply({"error": f"{request.method} {request.url.path}: {error}"}, status)
