"""The settler: looks into the conversations of jobs whose message call nobody answered for (docs/job-lifecycle.md).

Its thread asks the queue which are due; a few more make the looks, so that HTTP holds up nothing else. Any number of
schedulers may have one: the queue hands each look to one of them only.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Protocol, assert_never

import structlog

from envoi.errors import EnvoiError, Recovering
from envoi.queue.looks import DueLook
from envoi.queue.queue import Queue
from scheduler.troubles import Troubles
from worker.evidence import Absent, Evidence, Found, NoProof, doubt_of, weigh
from worker.hands import Hands
from worker.looks import Blind, Busy, Dead, Looked, Missed, Seen
from worker.settlement import reason_of

HANDS = 4  # looks at once; a page has two a second at the most, and each takes some tenths of a second
_IDLE = 0.5  # seconds until the queue is asked again at the latest
_BRIEF = 0.02  # and at the soonest
_PAUSE = 1.0  # seconds until it is asked again after it did not answer

log = structlog.get_logger()


class Eyes(Protocol):
    """Makes a look: :class:`worker.looks.Looks`."""

    def look(self, job: dict[str, Any], token_version: int, asked_at: float) -> Looked:
        """Look into a job's conversation."""


class Settler:
    """Makes the looks that are due, and tells the queue what they prove.

    Args:
        queue: hands out looks and takes facts.
        looks: makes them.
        troubles: told of what fails.
    """

    name = "settler"

    def __init__(self, queue: Queue, looks: Eyes, troubles: Troubles) -> None:
        self._queue = queue
        self._looks = looks
        self._troubles = troubles
        self._hands = Hands(HANDS)
        self._free = threading.Semaphore(HANDS)

    def run(self, stop: threading.Event) -> None:
        """Look until told to stop. A look under way is not waited for: its conversation has its next one already."""
        while not stop.is_set():
            stop.wait(self.turn())
        self._hands.stop()

    def turn(self) -> float:
        """Start as many of the due looks as there are hands. Returns seconds until the next turn is wanted."""
        if not self._free.acquire(timeout=_IDLE):
            return 0.0
        free = 1
        while self._free.acquire(blocking=False):
            free += 1
        started = 0
        try:
            due = self._queue.due_looks(free)
            for look in due.looks:
                self._hands.do(self._work(look))
                started += 1
        except Recovering:
            return _IDLE  # the gate is shut, and says so itself
        except EnvoiError as error:  # an outage: the looks that are due stay due
            self._troubles.tell("settler", error)
            return _PAUSE
        finally:
            if free > started:
                self._free.release(free - started)
        self._troubles.over("settler")
        wait = _IDLE if due.next_in is None else due.next_in
        return min(_IDLE, max(_BRIEF, wait))

    def _work(self, look: DueLook) -> Callable[[], None]:
        def work() -> None:
            try:
                self.settle(look)
            except EnvoiError as error:
                self._troubles.tell("settler", error)
            finally:
                self._free.release()

        return work

    def settle(self, look: DueLook) -> None:
        """Make one look and tell the queue what it proves.

        Raises:
            EnvoiError: the queue did not take it; the conversation is looked into again.
        """
        if "message" not in look.job:  # no look shows what it does
            self._prove(look, NoProof("not a message"))
            return
        made = self._looks.look(look.job, look.token_version, look.asked_at)
        came_to, why = self._tell(look, made)
        if made.hold and not isinstance(made.sight, Busy):
            self._queue.skip_looks(look.conversation, "later", made.hold)
        log.info(
            "look",
            action="look",
            job=look.job_id,
            page=look.job["page"],
            came_to=came_to,
            why=why,
            absence_counts=look.absence_counts,
            last=look.last,
            http_status=made.status,
            duration_ms=round(made.seconds * 1000, 3),
            fbtrace_id=made.trace,
        )

    def _tell(self, look: DueLook, made: Looked) -> tuple[str, str]:
        """Returns what it came to, and why, or what the queue made of it."""
        match made.sight:
            case Seen(thread):
                doubt = doubt_of(
                    look.job,
                    look.begun,
                    look.known,
                    absence_counts=look.absence_counts,
                    forgotten=look.forgotten,
                )
                return self._prove(look, weigh(doubt, thread))
            case Blind(error):
                self._queue.skip_looks(look.conversation, "blind")
                why = reason_of(error)
                log.warning("a page cannot be looked into", action="blind", page=look.job["page"], error=why)
                return "blind", why
            case Dead(error):
                self._pause(look, reason_of(error))
                return "later", reason_of(error)
            case Busy(error, seconds):
                self._queue.skip_looks(look.conversation, "later", seconds)
                return "later", reason_of(error)
            case Missed(error):
                return "missed", reason_of(error)
            case never:
                assert_never(never)

    def _prove(self, look: DueLook, evidence: Evidence) -> tuple[str, str]:
        match evidence:
            case Found(message_id):
                return "found", self._queue.prove_sent(look.job_id, message_id, look.job["recipient"]["id"])
            case Absent():
                return "absent", self._queue.prove_not_sent(look.job_id, look.mark)
            case NoProof(why):
                return "no proof", f"{why}: {self._queue.look_proved_nothing(look)}" if look.last else why
            case never:
                assert_never(never)

    def _pause(self, look: DueLook, reason: str) -> None:
        """The token is dead: as a send would have found, its page pauses until an operator acts."""
        page = look.job["page"]
        if self._queue.pause(page, reason, look.token_version):
            log.error(
                "a page is paused until an operator acts; its jobs wait",
                action="page_paused",
                page=page,
                reason=reason,
                token_version=look.token_version,
                job=look.job_id,
            )
        # Not for long: a new token may be there in a moment, and these conversations wait for nothing else then.
        self._queue.skip_looks(look.conversation, "later", self._queue.settings.look_again)
