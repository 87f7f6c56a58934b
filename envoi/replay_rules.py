"""Which jobs can be replayed, and what the job is that replays one."""

from __future__ import annotations

from datetime import datetime

from envoi.job import Job
from envoi.log.letters import DEAD, Letter
from envoi.states import State

# Not in the new job: its own id and key; and times, which were meant for the old one and may have passed.
_DROPPED = frozenset({"id", "key", "at", "expires_at", "replay_of"})


def why_not(letter: Letter, *, unknown: bool) -> str | None:
    """Why a job is not replayed; None: it is.

    Args:
        letter: the job.
        unknown: whether one that ended unknown may be sent again.
    """
    if letter.state not in DEAD:
        return not_dead(letter)
    if letter.state is State.UNKNOWN and not unknown:
        return "it ended unknown and may have been sent: only with --unknown, an operator's word"
    if letter.discarded_at is not None:
        return "its message was discarded"
    if letter.payload is None:
        return "the log has its message no more, or never had it"
    if "sender_action" in letter.payload:
        return "it is an action: a courtesy, made once"
    return None


def not_dead(letter: Letter) -> str:
    """Says of a job that it is no dead letter."""
    return f"it is {letter.state}, not failed, expired or unknown"


def job_of(letter: Letter) -> Job:
    """The job that replays a letter.

    Raises:
        InvalidJob: it would be refused at the door today.
    """
    fields = {name: value for name, value in (letter.payload or {}).items() if name not in _DROPPED}
    if "commented_at" in fields:
        fields["commented_at"] = datetime.fromisoformat(fields["commented_at"])
    return Job(**fields, key=f"replay:{letter.id}:{letter.replays + 1}", replay_of=letter.id)
