"""Alerts: an operator is told once when a page dies, and once when jobs that ended unknown pile up.

What was told is noted in Redis, by what happened and by where it was told: so each is told once, or once more where a
scheduler dies between the telling and the note; and again only when it has been well in between.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Engine, func, select

from envoi.alerts import Alert, AlertFailed, Target
from envoi.log.database import log_errors
from envoi.log.tables import jobs
from envoi.queue.connection import translated
from envoi.queue.queue import Queue
from envoi.states import State
from scheduler.rounds import STANDBY, UnderLease, go_round
from scheduler.troubles import Troubles

PERIOD = 2.0  # seconds between two looks at the pages
_COUNTED = 30.0  # seconds between two counts of unknowns
_WITHIN = timedelta(hours=1)  # unknowns that are older do not count
_ENQUEUED_WITHIN = timedelta(days=7)  # bounds the count: the log's index goes by this
_PAGES = 2000  # looked at in one turn
_LEASE = 60.0  # seconds that one turn may take: a few targets that do not answer
# What Meta did to a page. Anything else is an operator's own word, who knows.
_BY_META = re.compile(r"(?P<code>\d+(?:/\d+)?): |policy enforcement: (?P<action>[A-Za-z_ -]{1,40})$")

_PAUSE_FIRST, _PAUSE_LONGEST = 5.0, 300.0  # seconds until a target that took nothing is tried again

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Failing:
    """A target that took nothing when it was last tried."""

    pause: float
    again_at: float


class Alerts(UnderLease):
    """Tells operators. One thread at a time may run it; several processes may.

    Args:
        queue: whose pages.
        engine: the log's database.
        targets: where it is told.
        troubles: told of outages, the targets' among them.
        clock: seconds, ever growing.
    """

    name = "alerts"

    def __init__(
        self,
        queue: Queue,
        engine: Engine,
        targets: Sequence[Target],
        troubles: Troubles,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(queue, f"{queue.keys.alerts}:lease", _LEASE)
        self._engine = engine
        self._targets = targets
        self._troubles = troubles
        self._clock = clock
        self._failing: dict[str, _Failing] = {}
        self._cursor = 0
        self._count_at = 0.0

    def run(self, stop: threading.Event) -> None:
        """Look and tell until told to stop."""
        go_round(self, self._round, stop, self._troubles)

    def turn(self) -> int:
        """Look at some pages, and now and then at the unknowns; tell what is new.

        Returns:
            How many alerts were taken; 0 too where another scheduler tells.

        Raises:
            QueueUnavailable: Redis did not answer.
            LogUnavailable: the log did not; pages were told all the same.
        """
        if not self.hold():
            return 0
        with translated():
            told: Any = self._queue.redis.hgetall(self._queue.keys.alerts)
        taken = 0
        for occurrence, mark, alert in self._found():
            for target in self._targets:
                note = f"{target.name} {occurrence}"
                if alert is None and note in told:
                    with translated():
                        self._queue.redis.hdel(self._queue.keys.alerts, note)
                elif alert is not None and told.get(note) != mark:
                    taken += self._tell(target, note, mark, alert)
        return taken

    def _round(self) -> float:
        self.turn()
        return PERIOD if self.lease.mine else STANDBY

    def _found(self) -> Iterator[tuple[str, str, Alert | None]]:
        """What is looked at: its name, what tells this occurrence from others, and the alert; None: all is well."""
        yield from self._paused()
        limit = self._queue.settings.alert_unknowns
        if limit and self._clock() >= self._count_at:
            self._count_at = self._clock() + _COUNTED
            count = self._unknowns(limit)
            if count >= limit:
                text = f"{count} or more jobs ended unknown within an hour: see `envoi jobs --state unknown`"
                yield "unknowns", "1", Alert("unknowns", text, count=count)
            elif count <= limit // 2:  # in between it stays as it is, so that it does not flap
                yield "unknowns", "", None

    def _paused(self) -> Iterator[tuple[str, str, Alert | None]]:
        keys, redis = self._queue.keys, self._queue.redis
        with translated():
            self._cursor, found = redis.zscan(f"{keys.base}known", self._cursor, count=_PAGES)
            pages = [str(page) for page, _ in found]
            with redis.pipeline(transaction=False) as pipe:
                for page in pages:
                    pipe.hmget(keys.page(page), "paused", "since")
                rows: list[Any] = pipe.execute()
        for page, (reason, since) in zip(pages, rows, strict=True):
            by_meta = None if reason is None else _BY_META.match(reason)
            if by_meta is None:
                yield f"page {page}", "", None
                continue
            why = f"error {by_meta['code']}" if by_meta["code"] else f"policy enforcement: {by_meta['action']}"
            at = datetime.fromtimestamp(float(since or 0), UTC).isoformat(timespec="seconds")
            text = f"page {page} is paused since {at} ({why}); its jobs wait until it is resumed or has a new token"
            yield f"page {page}", str(since), Alert("page_paused", text, page=page, reason=why, since=at)

    def _unknowns(self, limit: int) -> int:
        now = datetime.now(UTC)
        counted = select(jobs.c.id).where(
            jobs.c.state == State.UNKNOWN.value,
            jobs.c.enqueued_at > now - _ENQUEUED_WITHIN,
            jobs.c.settled_at > now - _WITHIN,
        )
        with log_errors(self._engine), self._engine.connect() as connection:
            return int(
                connection.execute(select(func.count()).select_from(counted.limit(limit).subquery())).scalar_one()
            )

    def _tell(self, target: Target, note: str, mark: str, alert: Alert) -> int:
        """Tell it. Returns how many alerts were taken: none where the target took none lately, or another tells now."""
        failing = self._failing.get(target.name)
        if (failing and self._clock() < failing.again_at) or not self.lease.mine:
            return 0
        part = f"alert_{target.name}"
        try:
            target.send(alert)
        except AlertFailed as error:
            pause = min(2 * failing.pause, _PAUSE_LONGEST) if failing else _PAUSE_FIRST
            self._failing[target.name] = _Failing(pause, self._clock() + pause)
            self._troubles.tell(part, error)
            return 0
        self._failing.pop(target.name, None)
        self._troubles.over(part)
        with translated():
            self._queue.redis.hset(self._queue.keys.alerts, note, mark)
        log.info("an operator was told", action="alert", alert=alert.alert, page=alert.page, by=target.name)
        return 1
