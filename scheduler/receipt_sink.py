"""Receipts and signs of life in the log: ``delivered_at`` and ``read_at`` of jobs, and the table ``conversations``.

Holds and opt-outs come the same way (envoi/log/standings.py).

Each of these columns holds the earliest time that any receipt gave, ``last_inbound_at`` the latest: so receipts may
come twice and in any order. Of holds and opt-outs the last word counts. So they are written only by the writer that
took over last: one that was frozen with old words in hand, and wakes, finds another's fence.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, func, select, update

from envoi.log.columns import UtcDateTime
from envoi.log.database import log_errors
from envoi.log.standings import write_standings
from envoi.log.tables import calls, conversations, cursor, jobs
from envoi.log.upsert import insert_of
from envoi.notices import Inbound, Logged, Receipt
from envoi.standing import Standing
from envoi.states import State
from scheduler.log_rows import moment

_NEWEST = 200  # sent jobs of a person that a receipt is compared with; older ones have had theirs
_UNIT = timedelta(milliseconds=1)  # of a watermark, which is cut off to it: the message may be of any time in it

Person = tuple[str, str]  # page and page-scoped id


@dataclass(slots=True)
class SentJob:
    """A job that a receipt may be of.

    Attributes:
        handed_over: when its message call began, or, where no call is known, when it was known to be sent. A watermark
            is a time of Meta's: the answer of a call, which gives ``sent_at``, may come later than the receipt. The
            next message to this person begins after that answer, so it is not taken for a delivered one.
    """

    id: str
    message_id: str | None
    handed_over: datetime | None
    delivered_at: datetime | None
    read_at: datetime | None

    def note(self, receipt: Receipt, at: datetime, watermark: datetime | None) -> bool:
        """Let a receipt count, if it is of this job. Returns whether that changed anything."""
        by_time = watermark is not None and self.handed_over is not None and self.handed_over < watermark + _UNIT
        if self.message_id not in receipt.message_ids and not by_time:
            return False
        before = self.delivered_at, self.read_at
        self.delivered_at = at if self.delivered_at is None else min(at, self.delivered_at)
        if receipt.kind == "read":  # whoever has read it has got it, at the latest then
            self.read_at = at if self.read_at is None else min(at, self.read_at)
        return (self.delivered_at, self.read_at) != before


class TakenOverError(Exception):
    """Another writer has taken over: nothing was written."""


class ReceiptSink:
    """Where receipts are written to.

    Args:
        engine: the log's database.
        name: of the fence, one for each queue whose receipts come into this database.
    """

    def __init__(self, engine: Engine, name: str = "main") -> None:
        self._name = f"{name}:receipts"
        self._fence = secrets.token_hex(8)
        # A writer of SQLite takes the lock first, so that it follows the log writer and neither fails.
        self._engine = engine.execution_options(sqlite_begin="IMMEDIATE")
        self._heard = _upsert(engine)

    def take_over(self) -> None:
        """From now on no other writer writes holds and opt-outs that it has read before.

        Raises:
            LogUnavailable, SchemaMissing: the database failed.
        """
        with log_errors(self._engine), self._engine.begin() as connection:
            into = insert_of(connection)(cursor).values(name=self._name, run=self._fence, position="")
            connection.execute(into.on_conflict_do_update(index_elements=[cursor.c.name], set_={"run": self._fence}))

    def write(self, notices: Iterable[Logged]) -> None:
        """Write all, or nothing. A receipt of no job that the log knows changes nothing.

        Raises:
            LogUnavailable, SchemaMissing: the database failed.
            TakenOverError: there are holds or opt-outs among them, and another writer has taken over.
        """
        heard: dict[Person, float] = {}
        receipts: dict[Person, list[Receipt]] = defaultdict(list)
        standings: list[Standing] = []
        for notice in notices:
            match notice:
                case Inbound(page=page, person=person, at=at):
                    heard[page, person] = max(at, heard.get((page, person), 0.0))
                case Receipt(page=page, person=person):
                    receipts[page, person].append(notice)
                case _:
                    standings.append(notice)
        with log_errors(self._engine), self._engine.begin() as connection:
            if standings:
                self._check_fence(connection)
            changed = [job for person in sorted(receipts) for job in _changed(connection, person, receipts[person])]
            if changed:
                # In the order of the log writer, so that the two do not wait for each other.
                rows = sorted(({"of": j.id, "got": j.delivered_at, "seen": j.read_at} for j in changed), key=_of)
                connection.execute(_UPDATE, rows)
            if heard:
                rows = [
                    {"page": page, "person": person, "at": moment(heard[page, person])}
                    for page, person in sorted(heard)
                ]
                connection.execute(self._heard, rows)
            write_standings(connection, standings)

    def _check_fence(self, connection: Connection) -> None:
        """Nobody takes over until the transaction's end."""
        wanted = select(cursor.c.run).where(cursor.c.name == self._name).with_for_update()
        if connection.execute(wanted).scalar() != self._fence:
            raise TakenOverError


def _changed(connection: Connection, person: Person, receipts: Sequence[Receipt]) -> list[SentJob]:
    """The jobs of a person that these receipts change."""
    found = [SentJob(**row) for row in connection.execute(_SENT, {"page": person[0], "person": person[1]}).mappings()]
    changed: dict[str, SentJob] = {}
    for receipt in receipts:
        at, watermark = moment(receipt.at), moment(receipt.watermark)
        for job in found:
            if at is not None and job.note(receipt, at, watermark):
                changed[job.id] = job
    return list(changed.values())


def _of(row: dict[str, Any]) -> str:
    return str(row["of"])


_BEGAN = (
    select(func.max(calls.c.started_at))
    .where(calls.c.job_id == jobs.c.id, calls.c.step == "message")
    .correlate(jobs)
    .scalar_subquery()
)
_SENT = (
    select(
        jobs.c.id,
        jobs.c.message_id,
        func.coalesce(_BEGAN, jobs.c.sent_at, type_=UtcDateTime).label("handed_over"),
        jobs.c.delivered_at,
        jobs.c.read_at,
    )
    .where(
        jobs.c.page_id == bindparam("page"),
        jobs.c.recipient == bindparam("person"),
        jobs.c.recipient_kind == "id",
        jobs.c.state == State.SENT.value,
    )
    .order_by(jobs.c.enqueued_at.desc())
    .limit(_NEWEST)
)
_UPDATE = (
    update(jobs)
    .where(jobs.c.id == bindparam("of"))
    .values(delivered_at=bindparam("got", type_=UtcDateTime), read_at=bindparam("seen", type_=UtcDateTime))
)


def _upsert(engine: Engine) -> Any:  # noqa: ANN401  # the two dialects' inserts share no type
    into = insert_of(engine)(conversations).values(
        page_id=bindparam("page"), recipient=bindparam("person"), last_inbound_at=bindparam("at", type_=UtcDateTime)
    )
    return into.on_conflict_do_update(
        index_elements=list(conversations.primary_key),
        set_={"last_inbound_at": into.excluded.last_inbound_at},
        where=into.excluded.last_inbound_at > conversations.c.last_inbound_at,
    )
