"""Webhooks where no look is allowed: echoes alone settle what nobody answered for, receipts fill the log."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from sqlalchemy import Engine, text

from demo.stack import Stack
from envoi import BadSignature, Envoi, State
from envoi.settings import settings
from tests.acceptance.conftest import MakeStack
from tests.acceptance.ledger import control, entries, order_fault
from tests.acceptance.outcomes import wait_until_settled
from tests.acceptance.runs import assert_clean, enqueue, judge
from tests.waiting import PATIENCE, wait_until_equal

OpenedLog = Callable[[Stack], Engine]

SECRET = "sesame"
QUICK = {
    "ENVOI_PAGE_PACE": "500",
    "ENVOI_PAGE_CALLS": "10000",
    "ENVOI_PAGE_CAP": "200",
    "ENVOI_READ_TIMEOUT": "1.5",
    "ENVOI_LOOKS": "false",
    "ENVOI_GRAPH_LATEST": "40",  # and then such a job would end as unknown: later than any test waits
}
JOBS, PEOPLE = 80, 40
DISLIKED = "7009"  # the person whom Graph refuses a message


@dataclass
class App:
    """A web app that hands Meta's webhooks to Envoi."""

    envoi: Envoi
    url: str = ""
    refused: int = 0
    bodies: list[bytes] = field(default_factory=list)  # of those that were taken
    changed: threading.Condition = field(default_factory=threading.Condition)

    def take(self, body: bytes, signature: str | None) -> int:
        """Returns the status to answer with."""
        try:
            self.envoi.webhook(body, signature)
        except BadSignature:
            self.refused += 1
            return 403
        with self.changed:
            self.bodies.append(body)
            self.changed.notify_all()
        return 200

    def wait_for(self, words: str) -> None:
        """Wait until a webhook that holds these words was taken."""
        with self.changed:
            assert self.changed.wait_for(lambda: any(words.encode() in body for body in self.bodies), PATIENCE), words


@contextmanager
def listening(app: App) -> Iterator[App]:
    """The app at an address of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(app.take(body, self.headers["X-Hub-Signature-256"]))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    app.url = f"http://127.0.0.1:{server.server_address[1]}/webhook"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield app
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_what_webhooks_tell_settles_dates_and_opens(
    make_stack: MakeStack, opened_log: OpenedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One stack for all of it: starting one takes longer than each.
    monkeypatch.setenv("ENVOI_APP_SECRET", SECRET)
    settings.cache_clear()
    stack = make_stack(latency=0.01, settings=QUICK)
    stack.start(workers=1)
    engine = opened_log(stack)
    with listening(App(Envoi(stack.redis_url))) as app:
        _subscribe(stack, app)
        _echoes_settle_what_nobody_answered_for(stack, engine)
        _receipts_date_every_row(engine)
        _a_person_who_writes_ends_a_refusal(stack, app)
        assert app.refused == 0


def _subscribe(stack: Stack, app: App) -> None:
    wanted = {
        "url": app.url,
        "app_secret": SECRET,
        "echo": {"delay_seconds": 0.4, "duplicate": 0.5},
        "deliveries": {"with_mids": True},  # before the echo, and before an answer that never comes
        "reads": {"delay_seconds": 0.2},
    }
    control(stack.sandbox_url, "PUT", "webhooks", wanted)


def _echoes_settle_what_nobody_answered_for(stack: Stack, engine: Engine) -> None:
    for place, kind in enumerate(("hold", "reset", "bad_gateway")):
        order_fault(stack.sandbox_url, {"kind": kind, "delivered": True}, every=3 + place, times=4)
    sent = enqueue(stack, JOBS, PEOPLE)
    assert wait_until_settled(stack, engine, JOBS, timeout=PATIENCE) == {State.SENT: JOBS}
    verdict = judge(stack, engine, sent)
    assert_clean(verdict)
    with engine.connect() as connection:
        unknown = text("SELECT count(*) FROM calls WHERE step = 'message' AND verdict = 'Unknown'")
        assert connection.execute(unknown).scalar_one() == 12
    assert len(entries(stack.sandbox_url, step="message")) == JOBS
    asked = 1  # by `pages add`, whose the token is
    assert len(entries(stack.sandbox_url, step="read")) == asked


def _receipts_date_every_row(engine: Engine) -> None:
    dated = "SELECT count(*) FROM jobs WHERE enqueued_at <= delivered_at AND delivered_at <= read_at"

    def found() -> int:
        with engine.connect() as connection:
            return int(connection.execute(text(dated)).scalar_one())

    wait_until_equal(found, JOBS, "rows that have both dates")


def _a_person_who_writes_ends_a_refusal(stack: Stack, app: App) -> None:
    order = {"match": {"step": "message", "recipient": DISLIKED}, "fault": {"kind": "error", "code": 551}, "times": 1}
    control(stack.sandbox_url, "POST", "rules", order)
    for words in ("refused by Graph", "refused without a call"):
        assert _ends(app.envoi, app.envoi.send(stack.page, DISLIKED, words)) is State.FAILED
    assert _texts(stack) == ["refused by Graph"]
    written = {"page": stack.page, "recipient": DISLIKED, "from": "person", "text": "here I am again"}
    control(stack.sandbox_url, "POST", "messages", written)
    app.wait_for("here I am again")
    assert _ends(app.envoi, app.envoi.send(stack.page, DISLIKED, "welcome")) is State.SENT
    assert _texts(stack) == ["refused by Graph", "welcome"]


def _texts(stack: Stack) -> list[str]:
    """What Graph was asked to send to that person."""
    return [entry["text"] for entry in entries(stack.sandbox_url, step="message", recipient=DISLIKED)]


def _ends(envoi: Envoi, job_id: str) -> State:
    return envoi.wait(job_id, PATIENCE).state
