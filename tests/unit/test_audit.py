"""requirements/audit.py: it finds what is known, and never takes silence for health."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from demo.ports import free_port

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "requirements" / "audit.py"
_spec = importlib.util.spec_from_file_location("audit", PROGRAM)
assert _spec
assert _spec.loader
audit = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(audit)


class Database(BaseHTTPRequestHandler):
    """As much of OSV as is asked."""

    known: ClassVar[dict[tuple[str, str], list[str]]] = {}
    answer: ClassVar[Any] = None  # in place of what is known
    asked: ClassVar[list[dict[str, Any]]] = []

    def do_POST(self) -> None:
        queries = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
        Database.asked = queries
        found = [self.known.get((one["package"]["name"], one["version"]), []) for one in queries]
        results = {"results": [{"vulns": [{"id": name} for name in ids]} if ids else {} for ids in found]}
        body = json.dumps(results if self.answer is None else self.answer).encode()
        self.send_response(200 if self.path == "/v1/querybatch" else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(Database, "known", {audit.KNOWN: ["GHSA-known"]})
    monkeypatch.setattr(Database, "answer", None)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Database)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_packages_without_a_known_vulnerability_pass(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit.audit(database, [("celery", "5.7.0")], {}) == 0
    assert "1 locked packages, none" in capsys.readouterr().out
    assert Database.asked[1] == {"package": {"name": "celery", "ecosystem": "PyPI"}, "version": "5.7.0"}


def test_a_known_vulnerability_fails_unless_it_is_accepted(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    Database.known["celery", "5.7.0"] = ["GHSA-1", "GHSA-2"]
    assert audit.audit(database, [("celery", "5.7.0")], {"GHSA-1": "we never do this"}) == 1
    told = capsys.readouterr().out
    assert "celery 5.7.0 has GHSA-2" in told
    assert "GHSA-1" not in told
    both = {"GHSA-1": "we never do this", "GHSA-2": "nor that", "GHSA-3": "gone"}
    assert audit.audit(database, [("celery", "5.7.0")], both) == 0
    assert "GHSA-3 is accepted, and nothing has it any more" in capsys.readouterr().out


@pytest.mark.parametrize("answer", [{"results": [{}, {}]}, {"results": []}, {}, [], "nothing", {"results": None}])
def test_an_answer_that_no_database_would_give_is_no_audit(
    database: str, answer: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Database, "answer", answer)
    assert audit.audit(database, [("celery", "5.7.0")], {}) == 3
    assert "NOT AUDITED" in capsys.readouterr().out


def test_a_database_that_is_not_there_is_no_audit() -> None:
    ran = subprocess.run(
        [sys.executable, PROGRAM],
        env={"ENVOI_AUDIT_DATABASE": f"http://127.0.0.1:{free_port()}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ran.returncode, ran.stderr) == (3, "")
    assert "NOT AUDITED" in ran.stdout


def test_every_pin_of_every_lock_file_is_asked_for(database: str) -> None:
    texts = [(ROOT / "requirements" / name).read_text() for name in audit.LOCKS]
    packages = audit.locked(texts)
    named = {name for name, _ in packages}
    assert {"celery", "redis", "cryptography", "pytest", "uv"} <= named
    pins = sum(text.count("==") for text in texts)
    assert pins >= len(packages) > 60
    locks = {file.name for file in (ROOT / "requirements").glob("*.txt")} - {"audit-accepted.txt"}
    assert set(audit.LOCKS) == locks
    assert audit.audit(database, packages, {}) == 0
    assert len(Database.asked) == len(packages) + 1


def test_what_is_accepted_needs_a_reason() -> None:
    assert audit.accepted("# why\n\nGHSA-1 not on our path\n") == {"GHSA-1": "not on our path"}
    with pytest.raises(ValueError, match="GHSA-2: say why"):
        audit.accepted("GHSA-2\n")


def test_ci_fails_for_a_vulnerability_and_goes_on_where_nobody_can_be_asked() -> None:
    line = next(line for line in (ROOT / ".ci" / "run").read_text().splitlines() if "audit.py" in line)
    for status, goes_on in ((0, True), (1, False), (2, False), (3, True)):
        program = (
            f"set -euo pipefail\n{line.replace('python3 requirements/audit.py', f'(exit {status})')}\necho went on"
        )
        ran = subprocess.run(["bash", "-c", program], capture_output=True, text=True, check=False, timeout=10)
        assert ("went on" in ran.stdout) is goes_on, status
