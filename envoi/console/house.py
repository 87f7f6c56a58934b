"""What every page of the console is made from: the log, the queue and what is done with both. Opened once."""

from __future__ import annotations

from dataclasses import dataclass

from jinja2 import Environment
from sqlalchemy import Engine

from envoi.broadcast.store import Broadcasts
from envoi.client import Envoi, open_queue
from envoi.console.hours import Hours
from envoi.console.notes import Notes
from envoi.console.showing import environment
from envoi.log.database import open_log
from envoi.log.pages import PageStore
from envoi.page_desk import PageDesk
from envoi.queue.queue import Queue
from envoi.replay import DeadLetters
from envoi.settings import Settings


@dataclass(frozen=True, slots=True)
class House:
    """The log, the queue, and what is done with them."""

    settings: Settings
    engine: Engine
    queue: Queue
    client: Envoi
    letters: DeadLetters
    pages: PageDesk
    broadcasts: Broadcasts
    hours: Hours
    notes: Notes
    templates: Environment

    def close(self) -> None:
        """Close the connections."""
        self.engine.dispose()
        self.queue.redis.close()


def open_house(settings: Settings) -> House:
    """Open log and queue; nothing is connected yet.

    Raises:
        BadSettings, LogError: an address is malformed.
    """
    queue = open_queue(settings.redis_url)
    engine = open_log(settings.database_url)
    return House(
        settings=settings,
        engine=engine,
        queue=queue,
        client=Envoi(client=queue.redis),
        letters=DeadLetters(queue, engine),
        pages=PageDesk(PageStore(engine, None), queue),
        broadcasts=Broadcasts(engine),
        hours=Hours(engine),
        notes=Notes(),
        templates=environment(),
    )
