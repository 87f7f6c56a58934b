"""Facts made up for the checks: each is well unless told otherwise."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from cryptography.fernet import Fernet
from pydantic import SecretStr

from envoi.doctor.log import LogFacts
from envoi.doctor.packages import Package
from envoi.doctor.pages import PagesFacts
from envoi.doctor.queue_facts import QueueFacts
from envoi.doctor.redis_server import RedisFacts
from envoi.doctor.setup import Broker, SetupFacts
from envoi.doctor.streams import Backlog
from envoi.doctor.waiting import Waiting
from envoi.log.credentials import Credentials
from envoi.log.page import Page
from envoi.queue.queued_page import QueuedPage
from envoi.queue.schedulers import Sign
from envoi.settings import Settings

INFO = {
    "redis_version": "7.2.4",
    "role": "master",
    "aof_enabled": 1,
    "aof_last_write_status": "ok",
    "aof_last_bgrewrite_status": "ok",
    "used_memory": 10 * 2**20,
    "maxmemory": 100 * 2**20,
}
DUTIES = {"gate": 1.0, "due": 0.1, "room": 0.5}
KEY = Fernet.generate_key().decode()


def redis_facts(*, info: dict[str, Any] | None = None, **changed: Any) -> RedisFacts:
    found = RedisFacts({**INFO, **(info or {})}, "noeviction", "everysec", (0.0005,) * 9, 0.01, 2.0)
    return replace(found, **changed)


def queue_facts(**changed: Any) -> QueueFacts:
    found = QueueFacts(
        settings=Settings(),
        run="run1",
        epoch="run1",
        recovering=False,
        missing=[],
        back=set(),
        workers={"w1": 2.0},
        schedulers={"s1": (1.0, Sign("1.0", DUTIES))},
        bells=0,
        template=True,
        held=3,
        overdue=0,
        events=Backlog(10, 0.2),
        aside=0,
        tasks=Backlog(0, 0.0),
        streams={},
        all_streams=True,
        notices=0,
        receipts=0,
        door=None,
        lanes={"replies": Waiting(), "bulk": Waiting(1000, 600.0, "1")},
        pages_seen=(1, 1),
    )
    return replace(found, **changed)


def log_facts(**changed: Any) -> LogFacts:
    return replace(LogFacts(Settings(), "postgresql", (17, 2), 0.01, "0005", "0005", known=True), **changed)


def setup_facts(*, settings: dict[str, Any] | None = None, **changed: Any) -> SetupFacts:
    found = SetupFacts(
        settings=Settings(**{"secret_keys": KEY, **(settings or {})}),
        today=date(2026, 11, 26),
        broker=Broker(visibility_timeout=120, max_connections=30, socket_timeout=5, drains=1),
        turned=[],
        packages=[Package("celery", "5.7", "5.7.0")],
    )
    return replace(found, **changed)


def page(name: str = "1", **changed: Any) -> Page:
    at = datetime(2026, 11, 26, tzinfo=UTC)
    return replace(Page(name, None, "messenger", None, None, 1, None, None, None, None, None, at, at), **changed)


def queued(**changed: Any) -> QueuedPage:
    return replace(QueuedPage(None, None, 0, 1, None, None, 1.0), **changed)


def pages_facts(*, settings: dict[str, Any] | None = None, **changed: Any) -> PagesFacts:
    found = PagesFacts(
        settings=Settings(**{"app_secret": "sesame", "app_id": "42", **(settings or {})}),
        pages=[page()],
        credentials={"1": Credentials(SecretStr("token"), 1)},
        resealed={"1"},
        queued=[queued()],
        fed=[],
    )
    return replace(found, **changed)
