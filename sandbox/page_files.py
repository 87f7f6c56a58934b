"""The sandbox's page: a chat in the browser. Its files lie in ``page/``, and nothing it needs comes from elsewhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

_FOLDER = Path(__file__).parent / "page"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
# Pictures, sounds and films are loaded from the addresses that messages name, as the person's device would. A text can
# become no script: none but the page's own is run, and the browser lets no string be made into elements.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' http: https:; "
    "media-src http: https:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


def page_files() -> list[Route]:
    """The routes: ``/sandbox/`` is the page."""
    files = {path.name: path for path in sorted(_FOLDER.iterdir()) if path.suffix in _TYPES}
    routes = [Route(f"/sandbox/page/{name}", _file(path), methods=["GET"]) for name, path in files.items()]
    return [
        Route("/sandbox", _to_page, methods=["GET"]),
        Route("/sandbox/", _file(files["index.html"]), methods=["GET"]),
        *routes,
    ]


def _file(path: Path) -> Callable[[Request], Awaitable[Response]]:
    content = path.read_bytes()

    async def serve(request: Request) -> Response:  # noqa: ARG001  # the signature of a handler
        return Response(content, headers=_HEADERS, media_type=_TYPES[path.suffix])

    return serve


async def _to_page(request: Request) -> Response:  # noqa: ARG001  # the signature of a handler
    return RedirectResponse("/sandbox/")
