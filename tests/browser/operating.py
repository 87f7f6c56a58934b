"""A whole Envoi with its console, and what operators of it have in common."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page
from sqlalchemy import Engine

from demo.stack import Stack
from envoi import Envoi
from envoi.log import queries
from envoi.log.database import open_log
from envoi.states import State
from tests.acceptance.console import Console
from tests.acceptance.ledger import control
from tests.acceptance.quick_stack import QuickStack
from tests.waiting import wait_until_equal

PASSWORD = "correct horse battery"
OTHER_PAGE = "100000000000002"

# An unknown message call is not looked for, and given up soon.
_SETTINGS = {
    "ENVOI_READ_TIMEOUT": "1.5",
    "ENVOI_LOOKS": "false",
    "ENVOI_GRAPH_LATEST": "1",
    "ENVOI_GRAPH_LATEST_MEDIA": "1",
    "ENVOI_GRAPH_VISIBLE": "0.2",
    "ENVOI_REFUSAL_TTL": "0.1",
}


@dataclass(frozen=True, slots=True)
class Operated:
    """A running Envoi with a console.

    Attributes:
        url: the console's.
    """

    stack: Stack
    client: Envoi
    engine: Engine
    url: str

    def send(self, person: str, *, fault: dict[str, object] | None = None, page: str | None = None) -> str:
        """Enqueue a message to a person; with a fault, their next message call meets it."""
        if fault is not None:
            match = {"step": "message", "recipient": person}
            control(self.stack.sandbox_url, "POST", "rules", {"match": match, "fault": fault, "times": 1})
        return self.client.send(page or self.stack.page, person, f"for your eyes only, {person}")

    def wait(self, job_id: str, state: State) -> None:
        """Wait until the log shows a job in a state."""

        def logged() -> State | None:
            found = queries.job(self.engine, job_id)
            return found.state if found else None

        wait_until_equal(logged, state, f"the state of {job_id}", meanwhile=self.stack.check)

    def enter(self, page: Page, path: str = "/") -> None:
        """Open a page of the console as somebody who knows the password."""
        page.goto(self.url + path)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(self.url + path)


@contextmanager
def operated(folder: Path) -> Iterator[Operated]:
    """Start it all, and stop it at the end."""
    with QuickStack(folder, settings=_SETTINGS) as stack:
        stack.start(workers=1)
        stack.run("pages", "add", OTHER_PAGE, "--no-check", stdin="another-token")
        engine = open_log(stack.database_url)
        try:
            with Console(stack, PASSWORD) as console:
                yield Operated(stack, Envoi(stack.redis_url), engine, console.url)
        finally:
            engine.dispose()
