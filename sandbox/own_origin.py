"""The control interface is for programs, and for its own page: no other page in a browser may tell it anything.

A browser lets any page send a request to an address on this machine, and names that page in ``Origin``.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.replies import reply


class OwnOrigin:
    """Refuses requests that pages of another origin make (403). Programs send no ``Origin``."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != headers.get("host"):
            refusal = reply({"error": "pages of other origins may not use the control interface"}, 403)
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)
