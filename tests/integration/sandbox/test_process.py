"""The process: how it starts, what it says, how it ends."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.integration.sandbox.client import (
    INSTAGRAM_TOKEN,
    ROOT,
    TOKEN,
    Client,
    raw_call,
    sandbox_process,
    until_end,
)
from tests.waiting import PATIENCE


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_quickly_and_quietly_whatever_is_under_way(tmp_path: Path, number: signal.Signals) -> None:
    with sandbox_process(tmp_path) as (child, client):
        held, late = {"id": "1"}, {"id": "2"}
        client.order(match={"recipient": "1"}, fault={"kind": "hold", "delivered": True})
        client.order(match={"recipient": "2"}, fault={"kind": "slow", "seconds": 600})
        reader = threading.Thread(target=read_for_long, args=(client,))
        with (
            client.opened(raw_call({"recipient": held, "message": {"text": "x"}})) as first,
            client.opened(raw_call({"recipient": late, "message": {"text": "x"}})) as second,
            client.opened(raw_call()[:-5]) as half_sent,
            client.opened(b"POST /sandbox/rules HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{") as half_told,
            client.opened(b"") as idle,
        ):
            client.entries(3, ending="open")
            reader.start()
            child.process.send_signal(number)
            assert child.process.wait(PATIENCE) == 0  # the calls would take ten times as long
            for connection in (first, second, half_sent, half_told, idle):
                assert ended_without_answer(connection)
        reader.join(20)
        assert not reader.is_alive()
        assert child.log.read_text() == f"sandbox ready on http://127.0.0.1:{client.port}\n"


def read_for_long(client: Client) -> None:
    """Wait for entries that never come; whatever the end of that looks like."""
    try:
        client.ask("GET", "/sandbox/ledger?at_least=99&wait=600")
    except OSError:
        return


def ended_without_answer(connection: socket.socket) -> bool:
    try:
        return until_end(connection) == b""
    except ConnectionResetError:
        return True


def test_a_call_under_way_at_the_end_is_still_answered(tmp_path: Path) -> None:
    with sandbox_process(tmp_path, "--latency", "0.5") as (child, client), client.opened(raw_call()) as connection:
        client.entries(1, ending="open")
        child.process.send_signal(signal.SIGTERM)
        assert until_end(connection).startswith(b"HTTP/1.1 200 OK")
        assert child.process.wait(PATIENCE) == 0


def test_its_log_stays_free_of_tokens_and_texts_even_where_a_client_talks_nonsense(tmp_path: Path) -> None:
    with sandbox_process(tmp_path, "--app-secret", "EAAsecretOfApp") as (child, client):
        assert client.call().error == (100, None)
        client.call(path=f"/me/messages?access_token={TOKEN}")
        nonsense = f"POST /me/messages?access_token={TOKEN} HTTP/9.9\r\n{TOKEN}\r\n\r\n".encode()
        with client.opened(nonsense) as connection:
            assert until_end(connection).startswith(b"HTTP/1.1 400 ")
        upgrade = raw_call().replace(b"Host:", b"Connection: close, upgrade\r\nUpgrade: websocket\r\nHost:")
        with client.opened(upgrade) as connection:
            until_end(connection)
        assert child.stop() == 0
        written = child.log.read_text()
        assert "secret" not in written
        assert INSTAGRAM_TOKEN not in written
        assert "Traceback" not in written


def test_the_seed_decides_what_a_share_hits(tmp_path: Path) -> None:
    def statuses(*arguments: str) -> list[int]:
        with sandbox_process(tmp_path, *arguments) as (_, client):
            (tmp_path / "sandbox.log").write_text("")  # the next process appends its own line
            client.order(fault={"kind": "error", "code": 2}, probability=0.5)
            return [client.call().status for _ in range(30)]

    first = statuses("--seed", "7")
    assert statuses("--seed", "8") != first


def test_a_taken_port_is_said_in_one_line(tmp_path: Path) -> None:
    with sandbox_process(tmp_path) as (_, client):
        command = [sys.executable, "-m", "sandbox", "--port", str(client.port)]
        ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 1
    assert ran.stdout == ""
    assert ran.stderr.startswith(f"sandbox: cannot listen on 127.0.0.1:{client.port}: ")
    assert ran.stderr.count("\n") == 1
