"""Control: pages and their tokens. A token goes in and never comes out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.control_input import NotThere, read_body
from sandbox.pages import Page, Platform
from sandbox.replies import reply
from sandbox.world import Sandbox, World

_PAGE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_TAKEN = ("me", "sandbox")
_TOKEN = re.compile(r"[\x21-\x7e]{1,1000}", re.ASCII)
_PASSWORD_CHANGED = 460


def page_id(text: str) -> str:
    """A page's id, checked. Meta's are digits; a test may want to tell its pages apart by name.

    Raises:
        ValueError: it could not stand in a path.
    """
    if not _PAGE_ID.fullmatch(text) or text in _TAKEN:
        raise ValueError("must be 1 to 64 letters, digits, _ or -, and neither me nor sandbox")
    return text


def page_token(text: str) -> str:
    """A page's token, checked.

    Raises:
        ValueError: it could not stand in a header; the message does not hold it.
    """
    if not _TOKEN.fullmatch(text):
        raise ValueError("must be 1 to 1000 visible ASCII characters")
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPage:
    """A page to register, or a further token of one."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    id: Annotated[str, AfterValidator(page_id)]
    token: Annotated[str, AfterValidator(page_token)] = field(repr=False)
    platform: Platform = Platform.MESSENGER
    app_secret: Annotated[str, Field(min_length=1)] | None = field(default=None, repr=False)
    proof_required: bool = True
    app_id: Annotated[int, Field(ge=1)] | None = None
    scopes: tuple[str, ...] | None = None
    expires_at: Annotated[int, Field(ge=0)] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Killing:
    """How a page's tokens die: subcode 460 is a changed password, 463 an expired session (SEND_API 4)."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    subcode: Annotated[int, Field(ge=1)] = _PASSWORD_CHANGED


_NEW: TypeAdapter[NewPage] = TypeAdapter(NewPage)
_KILLING: TypeAdapter[Killing] = TypeAdapter(Killing)


class PageControl:
    """Pages that exist, and tokens that die."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def register(self, request: Request) -> Response:
        """Add a page, or give one that exists a further live token."""
        new = await read_body(request, _NEW)
        page = Page(
            new.id,
            new.platform,
            new.app_secret or self._sandbox.start.app_secret,
            new.proof_required,
            new.app_id,
            new.scopes,
            new.expires_at,
        )
        self._sandbox.world.pages.register(page, new.token)
        self._sandbox.feed.settings()
        return reply(_shown(self._sandbox.world, page), 201)

    async def all(self, request: Request) -> Response:  # noqa: ARG002  # the signature of a handler
        """Every page."""
        world = self._sandbox.world
        return reply({"pages": pages_shown(world)})

    async def kill_tokens(self, request: Request) -> Response:
        """Let every live token of a page die."""
        page = self._page(request)
        killing = await read_body(request, _KILLING)
        killed = self._sandbox.world.pages.kill_tokens(page.id, killing.subcode)
        self._sandbox.feed.settings()
        return reply({"killed": killed})

    async def remove(self, request: Request) -> Response:
        """Forget a page and its tokens."""
        page = self._page(request)
        self._sandbox.world.pages.remove(page.id)
        self._sandbox.feed.settings()
        return reply({"removed": page.id})

    def _page(self, request: Request) -> Page:
        wanted = request.path_params["page"]
        page = self._sandbox.world.pages.get(wanted)
        if page is None:
            raise NotThere(f"there is no page {wanted}")
        return page


def page_routes(sandbox: Sandbox) -> list[Route]:
    """The routes of all this."""
    pages = PageControl(sandbox)
    return [
        Route("/sandbox/pages", pages.all, methods=["GET"]),
        Route("/sandbox/pages", pages.register, methods=["POST"]),
        Route("/sandbox/pages/{page}", pages.remove, methods=["DELETE"]),
        Route("/sandbox/pages/{page}/kill-tokens", pages.kill_tokens, methods=["POST"]),
    ]


def pages_shown(world: World) -> list[dict[str, object]]:
    """Every page, without its tokens."""
    return [_shown(world, page) for page in world.pages.all()]


def _shown(world: World, page: Page) -> dict[str, object]:
    return {
        "id": page.id,
        "platform": page.platform.value,
        "live_tokens": world.pages.live_tokens(page.id),
        "proof_required": page.app_secret is not None and page.proof_required,
    }
