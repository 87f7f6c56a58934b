"""The code in docs/webhooks.md does what it says, in each framework's terms.

The frameworks are none of our dependencies. Stand-ins give the snippets what they use of them; FastAPI's is Starlette,
as it is in truth, called by ASGI.
"""

from __future__ import annotations

import asyncio
import io
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
import starlette.applications
import starlette.concurrency
import starlette.requests
import starlette.responses

from envoi import BadSignature, InvalidWebhook, QueueFull, QueueUnavailable

PAGE = Path(__file__).parents[3] / "docs" / "webhooks.md"
SNIPPETS = dict(re.findall(r"^```python (\w+)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL))
QUERY = {"hub.mode": "subscribe", "hub.verify_token": "open", "hub.challenge": "4711"}

Answer = tuple[int, str]
Ask = Callable[[str, bytes, dict[str, str], dict[str, str]], Answer]


class Recorder:
    """In place of a client: keeps what it is given."""

    def __init__(self) -> None:
        self.taken: list[tuple[bytes, str | None]] = []
        self.fault: Exception | None = None

    def webhook(self, body: bytes, signature: str | None) -> int:
        if self.fault:
            raise self.fault
        self.taken.append((body, signature))
        return 1

    def webhook_challenge(self, query: Any) -> str:
        if self.fault:
            raise self.fault
        given = query["hub.challenge"]
        return str(given[0] if isinstance(given, list) else given)


def django(names: dict[str, Any]) -> Ask:
    def ask(method: str, body: bytes, headers: dict[str, str], query: dict[str, str]) -> Answer:
        answer = names["webhook"](SimpleNamespace(method=method, GET=query, body=body, headers=headers))
        return answer.status, answer.content

    return ask


def flask(names: dict[str, Any]) -> Ask:
    def ask(method: str, body: bytes, headers: dict[str, str], query: dict[str, str]) -> Answer:
        request = names["request"]
        request.args, request.headers, request.get_data = query, headers, lambda: body
        answer = names["app"].routes[method, "/webhook"]()
        return answer.status, answer.content

    return ask


def fastapi(names: dict[str, Any]) -> Ask:
    def ask(method: str, body: bytes, headers: dict[str, str], query: dict[str, str]) -> Answer:
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:  # ASGI
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:  # ASGI
            sent.append(message)

        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        scope = {"type": "http", "method": method, "path": "/webhook", "headers": raw, "http_version": "1.1"}
        asyncio.run(names["app"]({**scope, "query_string": urlencode(query).encode()}, receive, send))
        return sent[0]["status"], b"".join(part.get("body", b"") for part in sent[1:]).decode()

    return ask


def wsgi(names: dict[str, Any]) -> Ask:
    def ask(method: str, body: bytes, headers: dict[str, str], query: dict[str, str]) -> Answer:
        statuses: list[int] = []
        environ = {
            "REQUEST_METHOD": method,
            "QUERY_STRING": urlencode(query),
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
            **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()},
        }
        parts = names["app"](environ, lambda status, _: statuses.append(int(status.split(" ")[0])))
        return statuses[0], b"".join(parts).decode()

    return ask


class Reply:
    """Django's and Flask's responses, as far as the snippets go."""

    def __init__(self, content: str = "", status: int = 200, content_type: str = "", mimetype: str = "") -> None:
        self.content, self.status = content, status
        assert not content or (content_type or mimetype) == "text/plain"


class FlaskApp:
    def __init__(self, name: str) -> None:
        self.routes: dict[tuple[str, str], Any] = {}
        assert name

    def get(self, path: str) -> Callable[[Any], Any]:
        return lambda view: self.routes.setdefault(("GET", path), view)

    def post(self, path: str) -> Callable[[Any], Any]:
        return lambda view: self.routes.setdefault(("POST", path), view)


class FastAPIApp(starlette.applications.Starlette):
    def get(self, path: str) -> Callable[[Any], Any]:
        return lambda view: self.add_route(path, view, ["GET"])

    def post(self, path: str) -> Callable[[Any], Any]:
        return lambda view: self.add_route(path, view, ["POST"])


def module(name: str, **names: Any) -> ModuleType:
    made = ModuleType(name)
    vars(made).update(names)
    return made


STAND_INS = [
    module("django"),
    module("django.http", HttpResponse=Reply),
    module("django.views"),
    module("django.views.decorators"),
    module("django.views.decorators.csrf", csrf_exempt=lambda view: view),
    module("flask", Flask=FlaskApp, Response=Reply, request=SimpleNamespace()),
    module(
        "fastapi",
        FastAPI=FastAPIApp,
        Request=starlette.requests.Request,
        Response=starlette.responses.Response,
    ),
    module("fastapi.concurrency", run_in_threadpool=starlette.concurrency.run_in_threadpool),
]
FRAMEWORKS: dict[str, Callable[[dict[str, Any]], Ask]] = {
    "django": django,
    "flask": flask,
    "fastapi": fastapi,
    "wsgi": wsgi,
}


@pytest.fixture
def client() -> Recorder:
    return Recorder()


@pytest.fixture(params=FRAMEWORKS)
def ask(request: pytest.FixtureRequest, client: Recorder, monkeypatch: pytest.MonkeyPatch) -> Ask:
    for made in STAND_INS:
        monkeypatch.setitem(sys.modules, made.__name__, made)
    names: dict[str, Any] = {"__name__": "app"}
    exec(SNIPPETS["common"], names)  # noqa: S102  # our own page
    names["envoi"] = client
    exec(SNIPPETS[request.param], names)  # noqa: S102  # our own page
    return FRAMEWORKS[request.param](names)


def test_every_snippet_is_tested() -> None:
    assert set(SNIPPETS) == {"common", *FRAMEWORKS}


def test_the_raw_bytes_and_the_signature_are_handed_on(ask: Ask, client: Recorder) -> None:
    body = b'{"text": "gr\\u00fc\\u00df \xff"}'
    assert ask("POST", body, {"X-Hub-Signature-256": "sha256=00"}, {})[0] == 200
    assert ask("POST", b"", {}, {})[0] == 200
    assert client.taken == [(body, "sha256=00"), (b"", None)]


@pytest.mark.parametrize(
    ("fault", "status"),
    [(BadSignature(""), 403), (InvalidWebhook(""), 400), (QueueUnavailable(""), 503), (QueueFull(""), 503)],
)
def test_what_was_not_taken_is_not_answered_with_200(ask: Ask, client: Recorder, fault: Exception, status: int) -> None:
    client.fault = fault
    assert ask("POST", b"{}", {}, {})[0] == status
    if status < 500:
        assert ask("GET", b"", {}, QUERY) == (status, "")


def test_the_challenge_is_echoed(ask: Ask) -> None:
    assert ask("GET", b"", {}, dict(parse_qsl(urlencode(QUERY)))) == (200, "4711")
