"""Operators are told once: by a real server, by a real command, whatever dies meanwhile."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, insert

from envoi import Job
from envoi.alerts import Alert, AlertFailed, Command, Target, Webhook, targets
from envoi.log import tables
from envoi.queue.queue import Queue
from envoi.settings import Settings
from scheduler.alerts import Alerts
from scheduler.troubles import Troubles
from tests.integration.scheduler.hands import Clock

PAGE = "100"
DEAD = "190/463: Error validating access token: session of Ada Lovelace has expired"


class Server:
    """Takes alerts at an address with a secret in it."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.status = 200
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if outer.status == 200:
                    outer.taken.append(body)
                self.send_response(outer.status)
                if outer.status == 302:
                    self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Keep the test's output clean."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        self.url = SecretStr(f"http://127.0.0.1:{self._server.server_address[1]}/hooks/T0P5ECRET")

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.fixture
def queue(redis_url: str, open_queue: Callable[[str], Queue]) -> Queue:
    """An open queue that knows a page."""
    found = open_queue(redis_url)
    found.open_gate(found.run_id())
    found.enqueue([Job(page=PAGE, recipient="7001", message="hello")])
    return found


@pytest.fixture
def alerts(queue: Queue, engine: Engine, clock: Clock) -> Callable[..., Alerts]:
    def make(*where: Target) -> Alerts:
        return Alerts(queue, engine, where, Troubles(), clock)

    return make


def unknowns(engine: Engine, count: int) -> None:
    now = datetime.now(UTC)
    rows = [
        {"id": f"{number:026d}", "state": "unknown", "enqueued_at": now, "settled_at": now, "attempts": 1}
        for number in range(count)
    ]
    with engine.begin() as connection:
        connection.execute(insert(tables.jobs), rows)


def test_a_page_that_died_is_told_once_and_again_after_it_was_well(
    alerts: Callable[..., Alerts], queue: Queue, server: Server
) -> None:
    telling = alerts(Webhook(server.url))
    assert telling.turn() == 0
    queue.pause(PAGE, DEAD)
    assert telling.turn() == 1
    assert telling.turn() == 0
    telling.release()
    assert alerts(Webhook(server.url)).turn() == 0, "another scheduler knows too"
    [told] = server.taken
    assert (told["alert"], told["page"], told["reason"]) == ("page_paused", PAGE, "error 190/463")
    assert datetime.fromisoformat(told["since"]).tzinfo is not None
    assert "Ada" not in str(told)
    assert PAGE in told["text"]


def test_each_death_of_a_page_is_an_occurrence_of_its_own(
    alerts: Callable[..., Alerts], queue: Queue, server: Server
) -> None:
    telling = alerts(Webhook(server.url))
    for _ in range(2):
        queue.pause(PAGE, "policy enforcement: block")
        assert telling.turn() == 1
        queue.resume(PAGE)
        assert telling.turn() == 0
        assert queue.redis.hlen(queue.keys.alerts) == 0
    assert [one["reason"] for one in server.taken] == ["policy enforcement: block"] * 2


def test_an_operators_own_pause_is_no_news(alerts: Callable[..., Alerts], queue: Queue, server: Server) -> None:
    queue.pause(PAGE, "by an operator")
    assert alerts(Webhook(server.url)).turn() == 0


def test_unknowns_that_pile_up_are_told_once(
    alerts: Callable[..., Alerts], queue: Queue, engine: Engine, server: Server, clock: Clock
) -> None:
    telling = alerts(Webhook(server.url))
    unknowns(engine, queue.settings.alert_unknowns - 1)
    assert telling.turn() == 0
    with engine.begin() as connection:
        connection.execute(tables.jobs.delete())
    unknowns(engine, queue.settings.alert_unknowns)
    clock.now += 31
    assert telling.turn() == 1
    clock.now += 31
    assert telling.turn() == 0
    assert (server.taken[0]["alert"], server.taken[0]["count"]) == ("unknowns", queue.settings.alert_unknowns)
    with engine.begin() as connection:
        connection.execute(tables.jobs.delete())
    clock.now += 31
    assert telling.turn() == 0
    unknowns(engine, queue.settings.alert_unknowns)
    clock.now += 31
    assert telling.turn() == 1


def test_a_target_that_takes_nothing_is_tried_again_and_holds_up_no_other(
    alerts: Callable[..., Alerts], queue: Queue, server: Server, clock: Clock, tmp_path: Path
) -> None:
    queue.pause(PAGE, DEAD)
    server.status = 500
    telling = alerts(Webhook(server.url), writes_to(tmp_path / "told"))
    assert telling.turn() == 1
    server.status = 200
    assert telling.turn() == 0, "not at once"
    clock.now += 6
    assert telling.turn() == 1
    assert len(server.taken) == 1
    assert len((tmp_path / "told").read_text().splitlines()) == 1


def writes_to(path: Path) -> Command:
    program = (
        "import os, sys; assert not [n for n in os.environ if n.startswith('ENVOI_')]; "
        f"open({str(path)!r}, 'a').write(sys.stdin.read() + '\\n')"
    )
    return Command(f'{sys.executable} -c "{program}"')


def test_a_command_is_given_the_alert_and_none_of_our_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ENVOI_SECRET_KEYS", "sesame")
    writes_to(tmp_path / "told").send(Alert("test", "only a test"))
    assert json.loads((tmp_path / "told").read_text()) == {"alert": "test", "text": "only a test"}


@pytest.mark.parametrize(("command", "why"), [("/no/such/thing", "did not start"), ("false", "status 1")])
def test_a_command_that_fails_says_why(command: str, why: str) -> None:
    with pytest.raises(AlertFailed, match=why):
        Command(command).send(Alert("test", "only a test"))


def test_a_command_that_does_not_end_is_killed_with_all_that_it_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("envoi.alerts._COMMAND", 0.2)
    with pytest.raises(AlertFailed, match="did not end within"):
        Command("sh -c 'sleep 1000 & sleep 1000'").send(Alert("test", "only a test"))


@pytest.mark.parametrize("status", [302, 404, 500])
def test_only_a_status_of_success_means_that_it_was_taken(server: Server, status: int) -> None:
    server.status = status
    with pytest.raises(AlertFailed, match=f"status {status}") as caught:
        Webhook(server.url).send(Alert("test", "only a test"))
    assert "T0P5ECRET" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/T0P5ECRET", "nonsense://T0P5ECRET", "T0P5ECRET"])
def test_an_address_that_leads_nowhere_is_not_repeated(url: str) -> None:
    with pytest.raises(AlertFailed) as caught:
        Webhook(SecretStr(url)).send(Alert("test", "only a test"))
    assert "T0P5ECRET" not in str(caught.value)


def test_the_settings_say_where(server: Server) -> None:
    assert targets(Settings()) == []
    found = targets(Settings(alert_url=server.url, alert_command=SecretStr("true")))
    assert [one.name for one in found] == ["url", "command"]
