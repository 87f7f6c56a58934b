"""The port: its pages, its bounds, and what happens where it is taken."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Iterator

import pytest

from envoi.metrics import families, pages, server
from envoi.metrics.exposition import exposed, registry_of
from envoi.metrics.health import Health
from envoi.metrics.server import MetricsServer
from tests.unit.metrics.scrape import ask, scrape
from tests.waiting import wait_until


class Sick:
    """Healthy and not ready."""

    def healthy(self) -> Health:
        return Health()

    def ready(self) -> Health:
        return Health(("the gate is shut",))


def made(port: int = 0) -> MetricsServer:
    registry = registry_of(lambda: [exposed(families.BELLS, 3), exposed(families.DUTY_LEADS, {('the "log"\n',): 1})])
    return MetricsServer("127.0.0.1", port, registry, Sick())


@pytest.fixture
def shown() -> Iterator[MetricsServer]:
    found = made()
    found.start()
    yield found
    found.stop()


def test_metrics_are_shown_as_prometheus_reads_them(shown: MetricsServer) -> None:
    status, kind, _ = ask(shown.port, "/metrics")
    assert status == 200
    assert kind.startswith("text/plain; version=")
    found = scrape(shown.port)
    assert found["envoi_bells"] == {(): 3}
    assert found["envoi_duty_leads"] == {(("duty", 'the "log"\n'),): 1}
    assert found["process_open_fds"][()] > 0


def test_health_is_a_status_and_says_why(shown: MetricsServer) -> None:
    assert ask(shown.port, "/healthz")[::2] == (200, '{"ok": true, "wrong": []}\n')
    status, kind, body = ask(shown.port, "/readyz?verbose")
    assert (status, kind) == (503, "application/json")
    assert json.loads(body) == {"ok": False, "wrong": ["the gate is shut"]}


def test_an_address_of_the_newer_internet_will_do() -> None:
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::1", 0))
        shown = MetricsServer("::1", 0, registry_of(), Sick())
        shown.start()
        try:
            assert ask(shown.port, "/healthz", host="::1")[0] == 200
        finally:
            shown.stop()


def test_another_page_is_not_found_and_nothing_can_be_posted(shown: MetricsServer) -> None:
    assert ask(shown.port, "/../etc/passwd")[0] == 404
    assert ask(shown.port, "/metrics", "POST")[0] == 501
    assert ask(shown.port, "/metrics", "HEAD")[::2] == (200, "")


def test_who_asks_and_says_nothing_more_holds_up_nobody(shown: MetricsServer) -> None:
    silent = [socket.create_connection(("127.0.0.1", shown.port or 0)) for _ in range(3)]
    try:
        assert ask(shown.port, "/healthz")[0] == 200
    finally:
        for one in silent:
            one.close()


def test_who_sends_a_byte_now_and_then_keeps_no_thread(shown: MetricsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "_LONGEST", 0.3)
    with socket.create_connection(("127.0.0.1", shown.port or 0), timeout=30) as dripping:
        dripping.settimeout(0.05)
        ended = False
        for _ in range(600):  # half a minute, far below each part's patience
            with contextlib.suppress(OSError):
                dripping.send(b"x")
            with contextlib.suppress(TimeoutError):
                try:
                    ended = dripping.recv(100) == b""
                except ConnectionError:
                    ended = True
            if ended:
                break
        assert ended


def test_only_so_many_are_answered_at_once() -> None:
    entered, go = threading.Semaphore(0), threading.Event()

    class Slow(Sick):
        def healthy(self) -> Health:
            entered.release()
            assert go.wait(30)
            return Health()

    shown = MetricsServer("127.0.0.1", 0, registry_of(), Slow())
    shown.start()
    try:
        answers: list[int] = []
        asking = [threading.Thread(target=lambda: answers.append(ask(shown.port, "/healthz")[0])) for _ in range(8)]
        for one in asking:
            one.start()
        for _ in asking:
            assert entered.acquire(timeout=30)
        with pytest.raises((http.client.HTTPException, ConnectionError)):
            ask(shown.port, "/healthz")
        go.set()
        for one in asking:
            one.join()
        assert answers == [200] * 8
    finally:
        shown.stop()


def test_a_taken_port_is_told_and_taken_over_once_it_is_free(
    shown: MetricsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_AGAIN", 0.02)
    assert shown.port
    second = made(shown.port)
    second.start()
    try:
        assert second.port is None
        shown.stop()
        wait_until(lambda: second.port, "the second has its port")
        assert ask(second.port, "/healthz")[0] == 200
    finally:
        second.stop()


def test_one_that_waits_for_its_port_stops_at_once(shown: MetricsServer) -> None:
    second = made(shown.port or 0)
    second.start()
    second.stop()
    assert second.port is None
