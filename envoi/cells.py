"""Several queues behind one client: each page lives in one cell, and a cell is a Redis, a log, workers, a scheduler.

One Redis is one core's worth of scripts. Pages do not know of each other, so they may be split; a conversation belongs
to one page, so its order is kept within the cell of its page.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from itertools import islice
from typing import Any

from envoi.action import Action
from envoi.client import BATCH, Envoi, open_queue
from envoi.errors import BadSettings, EnvoiError, InvalidJob, Problem
from envoi.job import Job, Message, Recipient
from envoi.notices import Notice
from envoi.settings import settings
from envoi.webhook import read_webhook

_NAME = re.compile(r"[a-z0-9-]{1,32}")


class Cells:
    """Clients of several queues, and which of them each page's jobs go to. Threads may share it.

    Every process that enqueues must be given the same cells: two that differ would send one page's jobs two ways, and
    order would be lost. docs/cells.md says how a page is moved and a cell added.

    Args:
        addresses: the Redis of each cell, by the cell's name: lower-case letters, digits and ``-``. Names are for
            ever: they decide where pages live.
        placed: cells of pages that are not where their id puts them.
        leaving: for a page that is being moved, the cell that it leaves: it still gets the page's webhooks.
        on_outcome: as in :class:`envoi.Envoi`.

    Raises:
        BadSettings: names every argument that is wrong.
    """

    def __init__(
        self,
        addresses: Mapping[str, str],
        *,
        placed: Mapping[str, str] | None = None,
        leaving: Mapping[str, str] | None = None,
        on_outcome: str | None = None,
    ) -> None:
        self._placed, self._leaving = dict(placed or {}), dict(leaving or {})
        troubles = [] if addresses else [Problem("addresses", "must name one cell or more")]
        troubles += [
            Problem("addresses", f"{name!r:.40} must be 1 to 32 lower-case letters, digits or '-'")
            for name in addresses
            if not isinstance(name, str) or not _NAME.fullmatch(name)
        ]
        for field, given in (("placed", self._placed), ("leaving", self._leaving)):
            troubles += [
                Problem(f"{field}.{page}", "must be one of the cells") for page in given if given[page] not in addresses
            ]
        if troubles:
            raise BadSettings(*troubles)
        self._clients = {name: Envoi(url, on_outcome=on_outcome) for name, url in addresses.items()}
        self._queues = {name: open_queue(url) for name, url in addresses.items()}

    @property
    def names(self) -> list[str]:
        """The names of all cells."""
        return list(self._clients)

    def cell_of(self, page: str) -> str:
        """The name of the cell that a page's jobs go to: the one that was said, else the one its id puts it in.

        Rendezvous hashing: a cell that is added takes its share of pages from all others, and none moves between these.
        """
        return self._placed.get(page) or max(self._clients, key=lambda name: _weight(name, page))

    def of(self, page: str) -> Envoi:
        """The client of a page's cell, for all that is not here: status, cancel, hold, opt-outs and so on."""
        return self._clients[self.cell_of(page)]

    def both(self, page: str) -> list[Envoi]:
        """The client of a page's cell, and of the cell that it is leaving, if it is.

        What an app says of a conversation while its page is being moved (a hold, an opt-out) it says to both.
        """
        return [self._clients[name] for name in self._cells_of(page)]

    def send(
        self,
        page: str,
        recipient: str | dict[str, Any] | Recipient,
        message: str | dict[str, Any] | Message,
        **options: Any,  # noqa: ANN401  # Job's own fields, checked there
    ) -> str:
        """As :meth:`envoi.Envoi.send`, in the page's cell."""
        return self.of(page).send(page, recipient, message, **options)

    def send_many(self, jobs: Iterable[Job | Action]) -> list[str]:
        """As :meth:`envoi.Envoi.send_many`, each job in the cell of its page; a page's jobs stay in their order.

        Returns:
            The id of each job, in the order given.

        Raises:
            As ``Envoi.send_many``. Jobs are read some hundreds for each cell at a time; of those that failed, what
            belongs to other cells may be enqueued. The error's ``enqueued`` holds the ids of the earlier ones.
        """
        ids: list[str] = []
        left = iter(jobs)
        try:
            while batch := list(islice(left, BATCH * len(self._clients))):
                ids += self._send_batch(batch, len(ids))
        except EnvoiError as error:
            error.enqueued = tuple(ids)
            raise
        return ids

    def webhook(self, body: bytes, signature: str | None) -> int:
        """As :meth:`envoi.Envoi.webhook`: each notice to the cell of its page, and to the one that its page is leaving.

        Raises:
            As there; where a queue did not answer, others may have taken what is theirs. Meta sends all of it again.
        """
        found = read_webhook(body, signature, settings())
        by_cell: dict[str, list[Notice]] = defaultdict(list)
        for notice in found:
            for name in self._cells_of(notice.page):
                by_cell[name].append(notice)
        for name, notices in by_cell.items():
            self._queues[name].take_notices(notices)
        return len(found)

    def _send_batch(self, batch: list[Job | Action], before: int) -> list[str]:
        by_cell: dict[str, list[int]] = defaultdict(list)
        for place, job in enumerate(batch):
            if not isinstance(job, Job | Action):
                raise InvalidJob(Problem(f"jobs[{before + place}]", "must be a Job or an Action"))
            by_cell[self.cell_of(job.page)].append(place)
        ids = [""] * len(batch)
        for name, places in by_cell.items():
            found = self._clients[name].send_many(batch[place] for place in places)
            for place, job_id in zip(places, found, strict=True):
                ids[place] = job_id
        return ids

    def _cells_of(self, page: str) -> list[str]:
        return list(dict.fromkeys([self.cell_of(page), *filter(None, [self._leaving.get(page)])]))


def _weight(name: str, page: str) -> bytes:
    """What each cell bids for a page; the same in every process and version."""
    return blake2b(f"{name}/{page}".encode(), digest_size=8).digest()
