"""What webhooks tell the queue: echoes prove that a job was sent, enforcement pauses a page.

A notice is taken out of its stream after it has taken effect, so none is lost with a scheduler; each may take effect
twice, late, or in another order than it happened, and it comes to the same.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import structlog

from envoi.errors import EnvoiError, UnknownJob
from envoi.notices import Echo, Enforcement, Notice, Odd, load
from envoi.queue.connection import translated
from envoi.queue.queue import Queue
from envoi.standing import Hold, OptOut
from scheduler.rounds import BLOCK, STANDBY, UnderLease, go_round
from scheduler.troubles import Troubles

BATCH = 200  # notices in one turn
_LEASE = 10.0  # seconds that a turn may take; without a lease schedulers would do the same work twice, no more
_REMEMBERED = 30 * 86_400  # seconds that an enforcement is known, so that a repeat does not pause a page again
_NO_PAUSE = ("warning", "unblock")  # actions after which a page may still send
_STRANGE = Odd("", "not a notice")

log = structlog.get_logger()


class WebhookNotices(UnderLease):
    """Applies the notices that wait for the queue. One thread at a time may run it; several processes may.

    Args:
        queue: whose notices.
        troubles: told of outages.

    Attributes:
        odd: how many entries of webhooks could not be understood so far.
    """

    name = "webhooks"

    def __init__(self, queue: Queue, troubles: Troubles | None = None) -> None:
        super().__init__(queue, f"{queue.keys.told}:lease", _LEASE)
        self._troubles = troubles or Troubles()
        self.odd = 0

    def run(self, stop: threading.Event) -> None:
        """Apply until told to stop."""
        go_round(self, self._round, stop, self._troubles)

    def turn(self, wait: float = 0.0) -> int:
        """Apply what waits, at most 200 notices.

        Args:
            wait: how long to wait for a notice where there is none, seconds (well below 5).

        Returns:
            How many were applied; 0 too where another scheduler applies them.

        Raises:
            QueueUnavailable: Redis did not answer; nothing is lost.
        """
        if not self.hold():
            return 0
        stream = self._queue.keys.told
        with translated():
            found: Any = self._queue.redis.xread({stream: "0-0"}, BATCH, round(wait * 1000) or None)
        entries = found[0][1] if found else []
        applied = self._apply([_loaded(fields) for _, fields in entries])
        if applied:
            with translated():
                self._queue.redis.xdel(stream, *(position for position, _ in entries[:applied]))
        return applied

    def _round(self) -> float:
        self.turn(BLOCK)
        return 0.0 if self.lease.mine else STANDBY

    def _apply(self, notices: Sequence[Notice]) -> int:
        """Apply in order; no more once the lease may be another's, who goes on from here. Returns how many."""
        odd: Counter[tuple[str, str]] = Counter()
        applied = 0
        sent = self._settled_as_sent(notice.job_id for notice in notices if isinstance(notice, Echo))
        for notice in notices:
            if not self.lease.mine:
                break
            applied += 1
            try:
                match notice:
                    case Echo():
                        self._echo(notice, sent)
                    case Enforcement():
                        self._enforce(notice)
                    case Odd():
                        odd[notice.page, notice.why] += 1
                    case _:  # signs of life and receipts are the log's
                        odd["", "notice in the wrong stream"] += 1
            except EnvoiError:  # an outage: none is lost
                raise
            except Exception:  # a fault of ours; it must not stop the others
                log.exception("a notice could not be applied", action="webhook", kind=type(notice).__name__)
                odd[notice.page, "not applied"] += 1
        self.odd += odd.total()
        for (page, why), times in odd.items():
            log.warning(
                "a webhook held what cannot be understood", action="webhook_odd", page=page, why=why, times=times
            )
        return applied

    def _settled_as_sent(self, job_ids: Iterable[str | None]) -> dict[str, str]:
        """Message ids of the jobs that are known to be sent: most echoes tell nothing new, and cost no trip.

        Empty where a job is known to be sent by evidence, or by an operator's word, and its message id is not.
        """
        wanted = sorted({job_id for job_id in job_ids if job_id})
        if not wanted:
            return {}
        with translated():
            texts: Any = self._queue.redis.mget([self._queue.keys.settled(job_id) for job_id in wanted])
        outcomes = {job_id: json.loads(text) for job_id, text in zip(wanted, texts, strict=True) if text}
        return {job_id: found.get("message_id", "") for job_id, found in outcomes.items() if found["state"] == "sent"}

    def _echo(self, echo: Echo, sent: Mapping[str, str]) -> None:
        """An echo may come before the answer of its call; then the worker finds the fact that it brought."""
        if echo.job_id is not None and echo.job_id in sent:
            if sent[echo.job_id] == echo.message_id:
                return
            if sent[echo.job_id]:
                text = "an echo names another message than the job's own: it may have been sent twice"
                log.error(text, action="another_echo", job=echo.job_id, message_id=echo.message_id)
            else:  # sent by evidence, or by an operator's word: now its message id is known
                with suppress(UnknownJob):
                    self._queue.prove_sent(echo.job_id, echo.message_id, echo.person)
        elif echo.job_id is not None:
            try:
                came_to = self._queue.prove_sent(echo.job_id, echo.message_id, echo.person)
            except UnknownJob:
                pass  # of another queue on the same page, or settled so long ago that nobody looks for it
            else:
                if came_to in {"settled", "corrected"}:
                    log.info("an echo proves a job sent", action="echo", job=echo.job_id, came_to=came_to)
                return
        self._queue.foreign_echo(echo.page, echo.person, echo.message_id, echo.at)

    def _enforce(self, told: Enforcement) -> None:
        """Told twice it pauses once: an operator may have resumed the page meanwhile."""
        key = self._queue.keys.enforced(told.page)
        with translated():
            before: Any = self._queue.redis.get(key)
        if before is not None and float(before) >= told.at:
            return
        pauses = told.action.lower() not in _NO_PAUSE
        if pauses:
            self._queue.pause(told.page, f"policy enforcement: {told.action or 'no action named'}")
        with translated():
            self._queue.redis.set(key, f"{told.at:.6f}", ex=_REMEMBERED)
        text = "Meta enforces its policies against a page"
        log.error(text, action="enforcement", page=told.page, what=told.action, paused=pauses)


def _loaded(fields: dict[str, str]) -> Notice:
    try:
        found = load(fields["n"])
    except (KeyError, TypeError, ValueError):
        return _STRANGE
    return _STRANGE if isinstance(found, Hold | OptOut) else found
