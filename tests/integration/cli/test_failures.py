"""Every command, run as its own example says, where something that it needs is missing: a clear line, no traceback."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import redis
import typer

from demo.ports import free_port
from envoi import outbox
from envoi.cli.app import app
from envoi.cli.applications import APPLICATIONS
from envoi.cli.examples import commands, divided
from envoi.outbox.database import open_outbox
from tests.integration.cli.conftest import Ran, Run

FILES = {
    "people.txt": b"7000000000000001\n",
    "menu.png": b"\x89PNG\r\n\x1a\n" + b"x" * 100,
    "token.txt": b"EAAB-planted-token\n",
    "secret.txt": b"0123456789abcdef\n",
}
EXAMPLES = [
    (path, example)
    for path, one in commands(typer.main.get_command(app))
    if not hasattr(one, "commands") and path.removeprefix("envoi ") not in APPLICATIONS
    for example in divided(one.help)[1]
]
every_command = pytest.mark.parametrize("example", [example for _, example in EXAMPLES])

ASKS_REDIS = {"send", "status", "cancel", "reschedule", "action", "resolve", "hold", "release", "held", "conversation"}
ASKS_REDIS |= {"cancel-all", "opt-out", "opt-in", "opt-outs", "erase", "recover", "pages add", "outbox relay"}
ASKS_SQL = {"jobs", "job", "replay", "discard", "migrate", "erase", "upload", "broadcast"}
ASKS_SQL |= {"outbox relay", "outbox list", "outbox retry"}
ASKS_SQL |= {f"pages {verb}" for verb in ("add", "rotate", "reseal", "list", "pause", "resume")}
ASKS_SQL |= {f"apps {verb}" for verb in ("add", "list", "remove")}
ASKS_SQL |= {f"broadcasts {verb}" for verb in ("list", "show", "recipients", "pause", "resume", "cancel")}
ASKS_NOBODY = {"metrics"}  # what there is to measure is known without any setting
SAYS_ALL_THE_SAME = {"doctor"}  # in its own table, with status 1


def words_of(example: str) -> str:
    """The command's own words in an example: ``pages add``."""
    return next(path for path, one in EXAMPLES if one == example).removeprefix("envoi ")


class TryOut:
    """Examples as a shell would run them."""

    def __init__(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        self._run = run
        self._monkeypatch = monkeypatch

    def set(self, **environment: str) -> None:
        """Variables of the environment."""
        for name, value in environment.items():
            self._monkeypatch.setenv(name, value)

    def __call__(self, example: str) -> Ran:
        """Run it to its end: with status 0 or 1, no traceback, and only lines that are meant for people."""
        line, _, file = example.partition(" < ")
        arguments = shlex.split(line)[1:]
        if arguments[0] == "broadcast":
            arguments.append("--no-wait")  # no scheduler is at work here
        ran = self._run(*arguments, stdin=FILES[file] if file else b"", status=None)
        assert ran.status in {0, 1}
        assert [text for text in ran.err.splitlines() if not re.match(r"envoi: \S|  \S", text)] == []
        assert ran.status == 0 or ran.err or words_of(example) in SAYS_ALL_THE_SAME
        return ran


@pytest.fixture
def try_out(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secret_key: str) -> TryOut:
    """Runs an example where the files that it names are."""
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ENVOI_SECRET_KEYS", secret_key)
    monkeypatch.setenv("ENVOI_GRAPH_URL", f"http://127.0.0.1:{free_port()}")
    return TryOut(run, monkeypatch)


@every_command
def test_without_redis_a_command_says_so(example: str, try_out: TryOut, migrated_sqlite_url: str) -> None:
    engine = open_outbox(migrated_sqlite_url)
    outbox.metadata.create_all(engine)
    with engine.begin() as connection:
        outbox.send(connection, "1234567890", "7000000000000001", "hello")
    engine.dispose()
    try_out.set(
        ENVOI_REDIS_URL=f"redis://127.0.0.1:{free_port()}/0",
        ENVOI_DATABASE_URL=migrated_sqlite_url,
        ENVOI_OUTBOX_DATABASE_URL=migrated_sqlite_url,
    )
    ran = try_out(example)
    if words_of(example) in ASKS_REDIS:
        assert ran.status == 1
        assert "Redis did not answer" in ran.err.splitlines()[-1]


@every_command
@pytest.mark.usefixtures("queue_open")
def test_without_sql_a_command_says_so(example: str, try_out: TryOut) -> None:
    nowhere = f"postgresql://127.0.0.1:{free_port()}/envoi"
    try_out.set(ENVOI_DATABASE_URL=nowhere, ENVOI_OUTBOX_DATABASE_URL=nowhere)
    ran = try_out(example)
    if words_of(example) in ASKS_SQL:
        assert ran.status == 1
        assert "Connection refused" in ran.err.splitlines()[-1]


@every_command
@pytest.mark.usefixtures("queue_open")
def test_where_nobody_has_migrated_a_command_says_so(example: str, try_out: TryOut, sqlite_url: str) -> None:
    try_out.set(ENVOI_DATABASE_URL=sqlite_url)
    ran = try_out(example)
    if words_of(example) in ASKS_SQL - {"migrate", "outbox relay", "outbox list", "outbox retry"}:
        assert ran.status == 1
        assert "envoi migrate" in ran.err.splitlines()[-1]
        assert not Path(sqlite_url.removeprefix("sqlite:///")).exists(), "a mistyped name is no reason to make a file"


@pytest.mark.usefixtures("queue_open")
def test_where_the_log_is_no_database_a_command_says_so(
    run: Run, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(sqlite_url.removeprefix("sqlite:///")).write_text("a letter")
    monkeypatch.setenv("ENVOI_DATABASE_URL", sqlite_url)
    for command in ("jobs", "migrate"):
        assert run(command, status=1).err == f"envoi: {sqlite_url} did not do it: file is not a database\n"


@every_command
def test_with_a_malformed_setting_a_command_names_it(example: str, try_out: TryOut) -> None:
    try_out.set(ENVOI_LEASE="sesame", ENVOI_REDIS_URL="sesame://x")
    ran = try_out(example)
    assert ran.status == (0 if words_of(example) in ASKS_NOBODY else 1)
    if words_of(example) not in ASKS_NOBODY | SAYS_ALL_THE_SAME:
        assert ran.err.splitlines() == [
            "envoi: these settings are malformed",
            "  ENVOI_REDIS_URL: must be an address that begins with redis://, rediss:// or unix://",
            "  ENVOI_LEASE: must be a number",
        ]


@every_command
def test_wrong_usage_ends_with_status_2(example: str, run: Run) -> None:
    ran = run(*words_of(example).split(), "--no-such-option", status=2)
    assert "No such option: --no-such-option" in ran.err
    assert ran.out == ""


@pytest.fixture
def no_redis() -> Iterator[str]:
    """The address of something that listens, and is no Redis."""

    class Web(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Nothing: the test's own output is enough."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Web) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"redis://127.0.0.1:{server.server_port}/0"
        finally:
            server.shutdown()
            thread.join()


def test_where_something_else_listens_a_command_says_so(
    run: Run, no_redis: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENVOI_REDIS_URL", no_redis)
    ran = run("send", "100", "7", "hello", status=1)
    assert re.fullmatch(r"envoi: Redis did not (answer|do it).*\n", ran.err)


def test_where_redis_allows_too_little_a_command_says_so(
    run: Run, queue_open: redis.Redis, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue_open.acl_setuser("reader", enabled=True, passwords=["+planted-secret"], keys=["*"], commands=["+ping"])
    try:
        monkeypatch.setenv("ENVOI_REDIS_URL", redis_url.replace("://", "://reader:planted-secret@"))
        ran = run("send", "100", "7", "hello", status=1)
    finally:
        queue_open.acl_deluser("reader")
    assert ran.err.startswith("envoi: Redis did not do it (NoPermissionError): ")
    assert ran.err.count("\n") == 1
    assert "planted-secret" not in ran.err
