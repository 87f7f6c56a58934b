"""What the settler asks of the queue: what to look into, and what becomes of a look that proves nothing."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any, Literal

from envoi.queue.glances import SkipLooks, known_of
from envoi.queue.keys import conversation_of
from envoi.queue.lifetimes import times_to_live
from envoi.queue.restart import Restarts

ALIVE = 60.0  # seconds after its last question for which a settler is taken to be there
_KNOWN_TTL = 86400.0  # seconds that a known message is kept (mids.lua)
_MISSING = "missing"  # the mark of a job that was put back as missing (missing.lua), before ":" and a run of Redis


@dataclass(frozen=True, slots=True)
class DueLook:
    """One conversation to be looked into now, its page's budget charged.

    Attributes:
        mark: of the message call in doubt; a proof that it was not sent is taken for this call only.
        begun: the message is in the thread no earlier than this, by Redis's clock, seconds since the epoch.
        absence_counts: whether not finding it proves anything by now.
        last: whether the job ends if this look proves nothing.
        token_version: version of the page's token.
        known: ids of messages in the thread that are not it, and when we learned of each, as ``begun``.
        asked_at: the time when this was answered, as ``begun``.
        job: the job as enqueued.
    """

    conversation: str
    job_id: str
    mark: str
    begun: float
    absence_counts: bool
    last: bool
    token_version: int
    known: dict[str, float]
    asked_at: float
    job: dict[str, Any]

    @property
    def forgotten(self) -> bool:
        """Whether it may have been sent and its outcome forgotten, so that one of the known messages may be it."""
        return self.mark.partition(":")[0] == _MISSING


@dataclass(frozen=True, slots=True)
class DueLooks:
    """What is to be looked into now.

    Attributes:
        next_in: seconds until the next look may be due; None: nothing settles that could be looked into.
    """

    looks: list[DueLook]
    next_in: float | None


class Looks(Restarts):
    """The settler's side of the queue, and the messages of others."""

    def due_looks(self, want: int) -> DueLooks:
        """Take up to ``want`` looks. Each conversation's next look is set before, so that nothing is lost if we die.

        Raises:
            Recovering: Redis has restarted, and nothing is known for sure before the queue is open again.
        """
        settings = self.settings
        first, now, *rows = self._run("look", want, 1 / settings.looks_pace, settings.look_again, ALIVE)
        return DueLooks([_due(row, float(now)) for row in rows], float(first) if first else None)

    def look_proved_nothing(self, look: DueLook) -> Literal["unknown", "retrying", "stale"]:
        """The last look left the matter open: the job ends, or goes on where it says ``on_unknown="resend"``.

        Raises:
            Recovering: as above.
        """
        ttls = times_to_live(self.settings)
        answer: Literal["unknown", "retrying", "stale"] = self._run(
            "looked", look.conversation, look.job_id, look.mark, self.settings.max_attempts, *ttls
        )
        return answer

    def skip_looks(self, conversation: str, why: Literal["blind", "later"], seconds: float = 0.0) -> None:
        """A look could not be had: the page may not be looked into, or is throttled for so many seconds."""
        self._run("nolook", *SkipLooks(conversation, why, seconds).args(self.settings))

    def foreign_echo(self, page: str, recipient_id: str, message_id: str, at: float) -> bool:
        """Somebody else has written in the page's name: never to be taken for a message of ours.

        Args:
            page: the page's id.
            recipient_id: the person's id, as the webhook gives it.
            message_id: of the message.
            at: when it was written, seconds since the epoch; one older than a day is of no use any more.

        Returns:
            Whether it was news.
        """
        if at < time.time() - _KNOWN_TTL:
            return False
        return bool(self._run("known", conversation_of(page, "id", recipient_id), message_id))


def _due(row: list[Any], now: float) -> DueLook:
    conversation, job_id, mark, begun, counts, last, version, known, text = row
    return DueLook(
        conversation=conversation,
        job_id=job_id,
        mark=mark,
        begun=float(begun),
        absence_counts=bool(counts),
        last=bool(last),
        token_version=int(version),
        known=known_of(known),
        asked_at=now,
        job=json.loads(text.split("\n", 1)[1]),
    )
