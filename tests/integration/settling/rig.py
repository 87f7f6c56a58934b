"""A queue, an engine and a settler, with the sandbox as Meta. Time is real and short."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import redis
from pydantic import SecretStr

from envoi.job import Job
from envoi.log.credentials import Credentials
from envoi.queue.queue import Queue
from envoi.settings import Settings
from envoi.states import State
from scheduler.settler import HANDS, Settler
from scheduler.troubles import Troubles
from tests.integration.sandbox.client import PAGE, TOKEN, Client
from tests.waiting import wait_until
from worker.engine import Engine
from worker.graph import Graph
from worker.lines import Lines
from worker.looks import Looks
from worker.token_doubt import TokenDoubts
from worker.tokens import Tokens
from worker.transport import GraphAdapter

TIME = 20.0  # seconds that anything here may take
PERSON = "7001"
LATEST, VISIBLE = 0.7, 0.3  # G and V


class Store:
    """The page's token, out of no log."""

    def credentials(self, page: str) -> Credentials:
        assert page == PAGE
        return Credentials(SecretStr(TOKEN), 1)

    def all_credentials(self) -> dict[str, Credentials]:
        return {PAGE: Credentials(SecretStr(TOKEN), 1)}


class Rig:
    """One of each, and short ways to see what became of things.

    Args:
        settler: whether there is one.
        settings: that differ from the rig's own.
    """

    def __init__(self, client: redis.Redis, meta: Client, **settings: Any) -> None:
        short: dict[str, Any] = {
            "graph_url": f"http://127.0.0.1:{meta.port}", "graph_latest": LATEST, "graph_latest_media": LATEST,
            "graph_visible": VISIBLE, "look_again": 0.3, "read_timeout": 0.4, "lease": 3.0, "loss_bound": 0.05,
            "page_pace": 1000, "page_calls": 10_000, "backoff_first": 0.05, "answered_wait": 0.05, "concurrency": 8,
        }  # fmt: skip  # pairs
        self.rules = Settings(**(short | settings))
        self.queue = Queue(client, self.rules)
        self.meta = meta
        self.tokens = Tokens(Store())
        self.graph = Graph(self.rules, self.tokens)
        self.engine = Engine(self.queue, self.graph, "w1", lines=Lines(self.graph, self.rules.concurrency))
        self.troubles = Troubles()

    def open(self) -> None:
        self.queue.open_gate(self.queue.run_id())
        self.engine.start()
        self.engine.registered()

    def close(self) -> None:
        self.engine.stop(TIME)
        self.graph.close()

    @contextmanager
    def settling(self) -> Iterator[None]:
        """A settler works."""
        stop, adapter = threading.Event(), GraphAdapter(HANDS)
        settler = Settler(self.queue, Looks(self.rules, self.tokens, adapter, TokenDoubts(self.rules)), self.troubles)
        thread = threading.Thread(target=settler.run, args=(stop,))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(TIME)
            adapter.close()

    def send(self, text: str = "hello", **options: Any) -> str:
        return self.queue.enqueue([Job(page=PAGE, recipient=PERSON, message=text, **options)])[0]

    def state(self, job_id: str) -> str:
        return str(self.queue.status(job_id)["state"])

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Let time do its work until something holds."""
        wait_until(condition, what, meanwhile=self._go_on)

    def _go_on(self) -> None:
        self.queue.tick(100)
        self.engine.wake()

    def ended(self, job_id: str, state: str) -> dict[str, Any]:
        """Wait for an outcome."""
        self.until(lambda: State(self.state(job_id)).final, f"the outcome of {job_id}")
        assert self.state(job_id) == state
        return self.queue.status(job_id)

    def texts(self) -> list[str]:
        """What the person got, in order."""
        found = self.meta.control("GET", "ledger")["entries"]
        return [entry["text"] for entry in found if entry["step"] == "message" and entry["delivered"]]

    def looks(self) -> int:
        """How often somebody looked."""
        return len([entry for entry in self.meta.control("GET", "ledger")["entries"] if entry["step"] == "read"])

    def write(self, text: str, author: str = "page") -> str:
        """Somebody else writes: a human in the page's inbox, or the person."""
        parts = {"page": PAGE, "recipient": PERSON, "from": author, "text": text}
        return str(self.meta.control("POST", "messages", parts)["message_id"])
