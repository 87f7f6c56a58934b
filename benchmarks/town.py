"""A whole Envoi with many pages, and the sandbox as the Graph API: what the benchmarks of fairness run in."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlencode

import redis

from benchmarks.pages import add_pages, token_of
from benchmarks.work import PEOPLE
from demo.ledger import Sandbox
from demo.stack import Stack
from envoi import Envoi, Job
from envoi.queue.keys import Keys

_FIRST_PAGE = 200_000_000_000_001
_ALL = 100_000  # entries of the ledger read at once


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message that came in.

    Attributes:
        at: Unix seconds.
        page: the sender.
        text: of the message.
    """

    at: float
    page: str
    text: str


class Town:
    """A running stack with so many pages.

    Args:
        stack: running.
        pages: how many pages are added to its own, which nothing is sent for.
    """

    def __init__(self, stack: Stack, pages: int) -> None:
        self.stack = stack
        self.pages = [str(_FIRST_PAGE + number) for number in range(pages)]
        self.envoi = Envoi(stack.redis_url)
        self._read = 0
        self._add_pages()

    def _add_pages(self) -> None:
        for page in self.pages:
            self.control("POST", "pages", {"id": page, "token": token_of(page)})
        add_pages(
            self.pages,
            redis_url=self.stack.redis_url,
            database_url=self.stack.database_url,
            secret_key=self.stack.environment["ENVOI_SECRET_KEYS"],
        )

    def send(
        self,
        page: str,
        people: Sequence[int],
        *,
        lane: Literal["replies", "bulk"] = "bulk",
        text: str = "hello",
        typing: bool | float = False,
    ) -> None:
        """A message to each of these people, without typing unless it is asked for."""
        self.envoi.send_many(
            Job(page=page, recipient=str(PEOPLE + n), message=text, lane=lane, typing=typing) for n in people
        )

    def arrivals(self) -> list[Arrival]:
        """The messages that came in since the last time."""
        found = self.entries()
        return [Arrival(one["arrived_at"], one["page"], one["text"]) for one in found if one["step"] == "message"]

    def entries(self) -> list[dict[str, Any]]:
        """What the ledger says of every call that came in since the last time."""
        query = urlencode({"after": self._read, "limit": _ALL})
        found: list[dict[str, Any]] = self.control("GET", f"ledger?{query}")["entries"]
        self._read += len(found)
        return found

    def watch(self, seconds: float) -> list[Arrival]:
        """The messages that come in during the next so many seconds."""
        self.arrivals()
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            self.stack.check()
            time.sleep(0.1)
        return self.arrivals()

    def waiting(self) -> list[int]:
        """How many people of each page wait in its lane bulk."""
        keys = Keys(self.stack.environment["ENVOI_REDIS_TAG"])
        with redis.Redis.from_url(self.stack.redis_url) as client, client.pipeline(transaction=False) as pipe:
            for page in self.pages:
                pipe.llen(keys.waiting(page, "b"))
            return [int(found) for found in pipe.execute()]

    def control(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401  # JSON
        """Ask the sandbox's control interface.

        Raises:
            SandboxRefused: it did not take the request.
        """
        return Sandbox(self.stack.sandbox_url).ask(method, f"/sandbox/{path}", body)


@contextmanager
def town(
    pages: int,
    workers: int,
    concurrency: int,
    *,
    latency: float = 0.0,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Town]:
    """Run one; every call takes ``latency`` seconds."""
    with (
        tempfile.TemporaryDirectory(prefix="envoi-town-") as folder,
        Stack(Path(folder), latency=latency, settings=settings) as stack,
    ):
        stack.start(workers=0)
        made = Town(stack, pages)
        for _ in range(workers):
            stack.start_worker("--concurrency", str(concurrency))
        yield made
