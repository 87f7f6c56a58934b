"""Webhooks from the sandbox to a web app to Envoi: what they prove, open and close, with every process real."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from demo.stack import Stack
from envoi import Envoi, InvalidJob, State
from envoi import settings as envoi_settings
from envoi.log import queries
from envoi.log.queries import LoggedJob
from tests.acceptance.conftest import MakeStack
from tests.acceptance.ledger import control, entries, order_fault
from tests.waiting import PATIENCE, wait_until

APP_SECRET, VERIFY_TOKEN = "sesame", "open"
DOCS = Path(__file__).parents[2] / "docs" / "webhooks.md"
DAY = 86_400.0
NO_ANSWER = {"kind": "reset", "delivered": True}


def documented_app() -> dict[str, Any]:
    """The web app that docs/webhooks.md shows: plain WSGI."""
    snippets = dict(re.findall(r"^```python (\w+)\n(.*?)^```$", DOCS.read_text(), re.MULTILINE | re.DOTALL))
    names: dict[str, Any] = {"__name__": "app"}
    exec(snippets["common"] + snippets["wsgi"], names)  # noqa: S102  # our own page
    return names


@contextmanager
def served(app: Callable[..., list[bytes]]) -> Iterator[str]:
    """A WSGI app at an address of its own."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            _, _, query = self.path.partition("?")
            environ = {
                "REQUEST_METHOD": self.command,
                "QUERY_STRING": query,
                "CONTENT_LENGTH": self.headers.get("Content-Length", ""),
                "HTTP_X_HUB_SIGNATURE_256": self.headers.get("X-Hub-Signature-256"),
                "wsgi.input": self.rfile,
            }
            parts = app(environ, self._start)
            self.end_headers()
            self.wfile.write(b"".join(parts))

        do_GET = do_POST  # noqa: N815  # the name that http.server asks for

        def _start(self, status: str, headers: list[tuple[str, str]]) -> None:
            self.send_response(int(status.split(" ", maxsplit=1)[0]))
            for header in headers:
                self.send_header(*header)

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/webhook"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class World:
    """A whole Envoi, the sandbox, and a web app that takes the sandbox's webhooks."""

    def __init__(self, stack: Stack, engine: Engine, url: str, envoi: Envoi) -> None:
        self.stack, self.engine, self.url, self.envoi = stack, engine, url, envoi
        self.page = stack.page

    def subscribe(self, **parts: Any) -> None:
        wanted = {"url": self.url, "app_secret": APP_SECRET, "verify_token": VERIFY_TOKEN, **parts}
        control(self.stack.sandbox_url, "PUT", "webhooks", wanted)

    def writes(self, person: str) -> None:
        """The person writes, in the sandbox."""
        given = {"page": self.page, "recipient": person, "from": "person", "text": "hello?"}
        control(self.stack.sandbox_url, "POST", "messages", given)

    def wrote(self, person: str, ago: float) -> None:
        """A webhook of a message that the person wrote so many seconds ago."""
        at = int((time.time() - ago) * 1000)
        event = {
            "sender": {"id": person},
            "recipient": {"id": self.page},
            "timestamp": at,
            "message": {"mid": f"m_{at}"},
        }
        body = json.dumps({"object": "page", "entry": [{"id": self.page, "time": at, "messaging": [event]}]}).encode()
        self.envoi.webhook(body, "sha256=" + hmac.new(APP_SECRET.encode(), body, hashlib.sha256).hexdigest())

    def ends(self, job_id: str) -> State:
        return self.envoi.wait(job_id, PATIENCE).state

    def logged(self, job_id: str, holds: Callable[[LoggedJob], object]) -> LoggedJob:
        """The job's row, once it is as wanted."""

        def look() -> LoggedJob | None:
            row = queries.job(self.engine, job_id)
            return row if row and holds(row) else None

        found: LoggedJob = self.until(look, f"the row of {job_id}")
        return found

    def until(self, look: Callable[[], Any], what: str) -> Any:
        return wait_until(look, what, meanwhile=self.stack.check)

    def message_calls(self, person: str) -> int:
        found = entries(self.stack.sandbox_url, step="message")
        return sum(entry["recipient"] == {"id": person} for entry in found)


@pytest.fixture
def world(
    make_stack: MakeStack, opened_log: Callable[[Stack], Engine], monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    stack = make_stack(settings={"ENVOI_READ_TIMEOUT": "2"})
    stack.start()
    for name, value in (("APP_SECRET", APP_SECRET), ("VERIFY_TOKEN", VERIFY_TOKEN), ("REDIS_URL", stack.redis_url)):
        monkeypatch.setenv(f"ENVOI_{name}", value)
    envoi_settings.settings.cache_clear()
    app = documented_app()
    with served(app["app"]) as url:
        yield World(stack, opened_log(stack), url, app["envoi"])


def test_what_webhooks_tell_from_end_to_end(world: World) -> None:
    # One stack for all of it: starting one takes longer than any of these.
    _unknown_calls_are_settled_by_their_echoes(world)
    _receipts_fill_the_log(world)
    _the_window_opens_and_closes(world)
    _a_refused_person_is_tried_again_once_they_write(world)


def _unknown_calls_are_settled_by_their_echoes(world: World) -> None:
    """Late, twice, before the answer, and out of order. No look shows anything, so nothing else can settle them."""
    blind = {"match": {"step": "read"}, "fault": {"kind": "error", "code": 2}}
    control(world.stack.sandbox_url, "POST", "rules", blind)
    order_fault(world.stack.sandbox_url, NO_ANSWER, times=4)
    for person, echo in (
        ("7001", {}),
        ("7002", {"delay_seconds": 0.5}),
        ("7003", {"duplicate": 1.0}),
        ("7004", {"standby": True}),
    ):
        world.subscribe(echo=echo)
        job_id = world.envoi.send(world.page, person, "hello")
        world.until(partial(world.message_calls, person), "the call")
        assert world.ends(job_id) == State.SENT
        row = world.logged(job_id, lambda row: row.state is State.SENT)
        told = entries(world.stack.sandbox_url, step="message")
        assert [one["message_id"] for one in told if one["recipient"] == {"id": person}] == [row.message_id]
        assert row.attempts == 1
    world.subscribe(echo={"before_answer": True, "duplicate": 1.0})
    job_id = world.envoi.send(world.page, "7005", "hello")
    assert world.ends(job_id) == State.SENT
    assert world.message_calls("7005") == 1


def _receipts_fill_the_log(world: World) -> None:
    world.subscribe(deliveries={"with_mids": True}, reads={"delay_seconds": 0.3})
    by_mid = world.envoi.send(world.page, "7011", "hello")
    row = world.logged(by_mid, lambda row: row.delivered_at and row.read_at)
    assert row.delivered_at is not None
    assert row.read_at is not None
    assert row.read_at > row.delivered_at >= row.enqueued_at
    world.subscribe(deliveries={"with_mids": False, "delay_seconds": 0.0}, reads=None)
    by_time = world.envoi.send(world.page, "7012", "hello")
    row = world.logged(by_time, lambda row: row.delivered_at)
    assert row.read_at is None


def _the_window_opens_and_closes(world: World) -> None:
    control(world.stack.sandbox_url, "PUT", "switches", {"window": "enforce"})
    world.wrote("7021", ago=DAY + 1)
    with pytest.raises(InvalidJob, match="window"):
        world.envoi.send(world.page, "7021", "too late")
    world.writes("7021")
    job_id = world.until(lambda: _sent_or_none(world, "7021"), "the window is open")
    assert world.ends(job_id) == State.SENT

    world.stack.run("pages", "pause", world.page)
    person, job_id, closes = _sent_in_time(world)
    time.sleep(max(0.0, closes + 0.1 - time.time()))  # by the clock of Redis, which nobody moves
    world.stack.run("pages", "resume", world.page)
    assert world.ends(job_id) == State.FAILED
    error = world.envoi.status(job_id).error
    assert error is not None
    assert "the window has closed" in error.message
    assert world.message_calls(person) == 0


def _sent_in_time(world: World) -> tuple[str, str, float]:
    """A job enqueued a moment before its person's window closes: the person, the job, and when it closes."""
    for person, left in (("7022", 1.5), ("7023", 6.0), ("7024", 24.0)):
        closes = time.time() + left
        world.wrote(person, ago=DAY - left)
        try:
            return person, world.envoi.send(world.page, person, "in time"), closes
        except InvalidJob:  # the machine stood still for longer than that
            continue
    pytest.fail("the window closed each time before the job was enqueued")


def _a_refused_person_is_tried_again_once_they_write(world: World) -> None:
    control(world.stack.sandbox_url, "PUT", "switches", {"window": "off"})
    gone = {"kind": "error", "code": 551}
    order = {"match": {"step": "message", "recipient": "7031"}, "fault": gone, "times": 1}
    control(world.stack.sandbox_url, "POST", "rules", order)
    refused = world.envoi.send(world.page, "7031", "hello")
    assert world.ends(refused) == State.FAILED
    later = world.envoi.send(world.page, "7031", "hello again")
    assert world.ends(later) == State.FAILED
    assert world.message_calls("7031") == 1, "refused without a call"
    world.writes("7031")

    def sent() -> bool:
        return world.ends(world.envoi.send(world.page, "7031", "welcome back")) == State.SENT

    world.until(sent, "the refusal has ended")


def _sent_or_none(world: World, person: str) -> str | None:
    """A job, once the person's window has been opened by the webhook that is on its way."""
    try:
        return world.envoi.send(world.page, person, "hello")
    except InvalidJob:
        return None
