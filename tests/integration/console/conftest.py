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

from envoi.client import open_queue
from envoi.console.app import console_app
from envoi.console.house import House, open_house
from envoi.console.password import hashed
from envoi.console.server import config_of
from envoi.log.schema import upgrade
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


@pytest.fixture(scope="session")
def kept_password() -> str:
    return hashed(PASSWORD)


@pytest.fixture
def settings(redis_url: str, sqlite_url: str, secret_key: str, kept_password: str) -> Settings:
    return Settings(
        redis_url=redis_url,
        database_url=sqlite_url,
        secret_keys=(SecretStr(secret_key),),
        console_password=SecretStr(kept_password),
    )


@pytest.fixture
def house(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """A migrated log and an open queue. What differs between databases is in tests/integration/log/test_browsing.py."""
    monkeypatch.setenv("ENVOI_REDIS_URL", settings.redis_url)  # the client reads them itself
    monkeypatch.setenv("ENVOI_DATABASE_URL", settings.database_url)
    upgrade(settings.database_url)
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


@pytest.fixture
def site(house: House) -> Iterator[str]:
    """The console's address."""
    with socket.create_server(("127.0.0.1", 0)) as opened:
        server = uvicorn.Server(config_of(console_app(house)))
        thread = threading.Thread(target=server.run, args=([opened],))
        thread.start()
        yield f"http://127.0.0.1:{opened.getsockname()[1]}"
        server.should_exit = True
        thread.join(TIMEOUT)
        assert not thread.is_alive()


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
