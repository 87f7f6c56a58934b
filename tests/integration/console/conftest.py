"""The console on a real log and a real queue, served in a thread, and somebody who uses it without a browser."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from html import unescape

import pytest
import requests
import uvicorn
from pydantic import SecretStr
from sqlalchemy import Engine
from starlette.types import ASGIApp, Receive, Scope, Send

from envoi.client import open_queue
from envoi.console import password
from envoi.console.app import console_app
from envoi.console.house import House, open_house
from envoi.console.server import config_of
from envoi.log.secrets import SecretBox
from envoi.settings import Settings
from tests.integration.console.rows import Rows

PASSWORD = "correct horse battery"
TIMEOUT = 60.0  # seconds


class User:
    """Somebody at the console."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = requests.Session()
        self.token = ""

    def login(self, password: str = PASSWORD) -> requests.Response:
        return self.post("/login", password=password, next="/jobs")

    def get(self, path: str, **options: object) -> requests.Response:
        found = self.http.get(self.url + path, timeout=TIMEOUT, **options)  # type: ignore[arg-type]  # passed on
        token = re.search(r'name="token" value="(\w+)"', found.text)
        self.token = token[1] if token else self.token
        return found

    def post(self, path: str, fields: list[tuple[str, str]] | None = None, /, **given: str) -> requests.Response:
        pairs = [("token", self.token), *(fields or []), *given.items()]
        return self.http.post(self.url + path, pairs, headers={"Origin": self.url}, timeout=TIMEOUT)

    def told(self, answer: requests.Response) -> str:
        """The note on a page."""
        found = re.search(r'<div class="note \w+" role="\w+">(.*?)</div>', answer.text, re.DOTALL)
        return unescape(" ".join(re.sub("<[^>]+>", " ", found[1]).split())) if found else ""


class Stage:
    """One server for all tests, each of which sets its app: to start and stop one takes longer than most of them."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app
        await self.app(scope, receive, send)


@pytest.fixture(scope="session")
def kept_password() -> str:
    """A hash that is cheap to try."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(password, "_N", 1 << 10)
        return password.hashed(PASSWORD)


@pytest.fixture
def settings(redis_url: str, migrated_sqlite_url: str, secret_key: str, kept_password: str) -> Settings:
    return Settings(
        redis_url=redis_url,
        database_url=migrated_sqlite_url,
        secret_keys=(SecretStr(secret_key),),
        console_password=SecretStr(kept_password),
    )


@pytest.fixture
def house(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """A migrated log and an open queue. What differs between databases is in tests/integration/log/test_browsing.py."""
    monkeypatch.setenv("ENVOI_REDIS_URL", settings.redis_url)  # the client reads them itself
    monkeypatch.setenv("ENVOI_DATABASE_URL", settings.database_url)
    queue = open_queue(settings.redis_url)
    queue.open_gate(queue.run_id())  # as the scheduler does
    found = open_house(settings)
    yield found
    found.close()


@pytest.fixture
def engine(house: House) -> Engine:
    return house.engine


@pytest.fixture
def rows(house: House, settings: Settings) -> Rows:
    """Puts rows into the log."""
    return Rows(house.engine, SecretBox(settings.secret_keys))


@pytest.fixture(scope="package")
def stage() -> Iterator[tuple[Stage, str]]:
    """Where the consoles are shown, and its address."""
    found = Stage()
    with socket.create_server(("127.0.0.1", 0)) as opened:
        server = uvicorn.Server(config_of(found))
        thread = threading.Thread(target=server.run, args=([opened],))
        thread.start()
        yield found, f"http://127.0.0.1:{opened.getsockname()[1]}"
        server.should_exit = True
        thread.join(TIMEOUT)
        assert not thread.is_alive()


@pytest.fixture
def site(house: House, stage: tuple[Stage, str]) -> str:
    """The console's address."""
    shown, url = stage
    shown.app = console_app(house)
    return url


@pytest.fixture
def stranger(site: str) -> Iterator[User]:
    """Somebody who has not said the password."""
    found = User(site)
    yield found
    found.http.close()


@pytest.fixture
def user(stranger: User) -> User:
    """Somebody who has."""
    assert stranger.login().status_code == 200
    stranger.get("/jobs")
    return stranger
