"""``envoi console``: it makes hashes, and starts with a password only."""

from __future__ import annotations

import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from demo.child import Child
from demo.ports import free_port, listens
from demo.stack import ROOT
from envoi.console.password import Password
from tests.integration.cli.conftest import Run

PASSWORD = "correct horse battery"


def test_a_hash_is_made_of_what_is_said_on_standard_input(run: Run) -> None:
    ran = run("console", "--hash", stdin=f"{PASSWORD}\n".encode())
    assert Password(ran.out.strip()).fits(PASSWORD)


def test_a_short_password_is_refused_without_being_repeated(run: Run) -> None:
    ran = run("console", "--hash", stdin=b"tooshort\n", status=1)
    assert "12 characters at least" in ran.err
    assert "tooshort" not in ran.err


def test_it_does_not_start_without_a_password(run: Run) -> None:
    ran = run("console", "--port", "0", status=1)
    assert "does not start without a password" in ran.err
    assert "envoi console --hash" in ran.err


def test_it_says_that_its_port_is_taken(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(PASSWORD)
    monkeypatch.setenv("ENVOI_CONSOLE_PASSWORD_FILE", str(file))
    monkeypatch.setenv("ENVOI_DATABASE_URL", f"sqlite:///{tmp_path / 'log.sqlite3'}")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = run("console", "--port", str(port), status=1)
    assert f"cannot listen on 127.0.0.1:{port}" in ran.err


def test_a_process_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    file, port = tmp_path / "password", free_port()
    file.write_text(PASSWORD)
    child = Child(
        "console",
        [sys.executable, "-m", "envoi", "console", "--port", str(port)],
        log=tmp_path / "console.log",
        env={"ENVOI_CONSOLE_PASSWORD_FILE": str(file), "ENVOI_DATABASE_URL": f"sqlite:///{tmp_path / 'log.sqlite3'}"},
        cwd=ROOT,
    )
    child.start()
    child.wait_ready(lambda: listens(port), 60)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=60) as answer:
        assert answer.read() == b"ok\n"
    assert child.stop() == 0
    assert f"console ready on http://127.0.0.1:{port}" in (tmp_path / "console.log").read_text()


def test_without_the_extra_it_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['starlette'] = None; sys.modules['starlette.applications'] = None;"
        "from envoi.cli import main; sys.exit(main(['console']))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 1
    assert "pip install 'envoi[console]'" in ran.stderr
    assert "Traceback" not in ran.stderr
