"""Every error a caller of Envoi can meet.

EnvoiError
├── WithProblems       what was given is wrong; names each field and its limit
│   ├── InvalidJob     a job that the Send API would refuse
│   │   ├── InvalidUpload     a file that it would refuse, or that cannot be read
│   │   └── InvalidBroadcast  a broadcast whose message or recipients are wrong; names the lines
│   ├── InvalidConversation  a page or recipient of which there can be no conversation
│   └── BadSettings    a setting (`ENVOI_…`) that is malformed
├── NotErased          a person's data could not all be erased yet; says why
├── BroadcastConflict  a broadcast that is not in a state for this, or whose key is taken
├── UnknownBroadcast   no broadcast with this id
├── UploadFailed       a file that was sent and not taken; says whether to try again
├── KeyConflict        the key is taken by a job with other content
├── UnknownJob         no job with this id in Redis
├── StillOpen          a job that has no outcome at the end of a wait; a TimeoutError too
├── NotInDoubt         a job that is resolved although nobody asks what became of it
├── HalfDone           one of queue and log was changed, the other did not answer; says what was done
├── QueueUnavailable   Redis did not answer: the job may or may not be enqueued; repeat with the same key
├── QueueFull          the log is too far behind; enqueueing is refused before Redis is full
├── Recovering         the queue is not open yet; repeat with the same key
├── BadSignature       a webhook whose signature is not the app's
└── InvalidWebhook     a webhook that is signed, but not what Meta sends; says what is wrong
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from envoi.events import GraphError
from envoi.states import State


class EnvoiError(Exception):
    """The base of all errors that Envoi raises on purpose.

    Attributes:
        enqueued: ids that :meth:`envoi.Envoi.send_many` had got before it met the error; empty for all other calls.
    """

    enqueued: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a job.

    Attributes:
        field: path of the offending field, for instance ``message.text``.
        limit: what the field must be, for instance ``at most 2000 characters``.
        source: where the rule comes from, for instance ``SEND_API 3``.
    """

    field: str
    limit: str
    source: str = ""

    def __str__(self) -> str:
        origin = f" [{self.source}]" if self.source else ""
        return f"{self.field}: {self.limit}{origin}"


class WithProblems(EnvoiError):  # noqa: N818  # never raised itself
    """What was given is wrong, in one place or several.

    Attributes:
        problems: everything that is wrong, all at once.
    """

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*problems)  # as they are, so that the error survives pickling
        self.problems = problems

    def __str__(self) -> str:
        return "; ".join(str(problem) for problem in self.problems)


class InvalidJob(WithProblems):
    """A job was refused at the door. Nothing was enqueued; ``problems`` says why."""


class InvalidConversation(WithProblems):
    """No conversation can have this page or recipient, or no hold this end. Nothing was done; ``problems`` says why."""


class NotErased(EnvoiError):  # noqa: N818  # says what is wrong, as its siblings do
    """A person's data could not all be erased yet. It says why; what was erased stays so, and trying again goes on."""


class InvalidUpload(InvalidJob):
    """A file was refused before anything was sent. It names the file and the limit."""


class InvalidBroadcast(InvalidJob):
    """A broadcast was refused at the door. Nothing of it is sent to anybody.

    Attributes:
        bad: how many recipients are wrong; the first hundred problems are told.
    """

    def __init__(self, *problems: Problem, bad: int = 0) -> None:
        super().__init__(*problems)
        self.bad = bad

    def __str__(self) -> str:
        told = super().__str__()
        return told if self.bad <= len(self.problems) else f"{told}; wrong recipients in all: {self.bad}"

    def __reduce__(self) -> tuple[Any, ...]:
        return _invalid_broadcast, (self.problems, self.bad)


def _invalid_broadcast(problems: tuple[Problem, ...], bad: int) -> InvalidBroadcast:
    return InvalidBroadcast(*problems, bad=bad)


class BroadcastConflict(EnvoiError):  # noqa: N818  # named like KeyConflict, its sibling
    """A broadcast has ended, or is not loaded yet; or its key is taken by one with another message or options."""


class UnknownBroadcast(EnvoiError):  # noqa: N818  # named like UnknownJob, its sibling
    """The log knows no broadcast with this id."""


class UploadFailed(EnvoiError):  # noqa: N818  # says what is wrong, as its siblings do
    """A file was not taken. Nobody gets to see an upload: it may be repeated without harm.

    Attributes:
        error: Graph's error, or why there is none.
        verdict: ``Refused``: as it is, it will not be taken; ``Throttled``, ``TryLater``: try again later.
    """

    def __init__(self, error: GraphError, verdict: Literal["Refused", "Throttled", "TryLater"]) -> None:
        super().__init__(error, verdict)
        self.error = error
        self.verdict = verdict

    def __str__(self) -> str:
        code = "" if self.error.code is None else f" {self.error.code}"
        code += "" if self.error.subcode is None else f"/{self.error.subcode}"
        then = "" if self.verdict == "Refused" else "; try again later"
        return f"the file was not taken{code}: {self.error.message}{then}"


class KeyConflict(EnvoiError):  # noqa: N818  # the name is a promise (DESIGN 8)
    """The ``key`` is taken by a job with another recipient, message or Send API parameter."""


class UnknownJob(EnvoiError):  # noqa: N818  # the name is a promise (DESIGN 8)
    """Redis knows no job with this id: it never existed, or settled longer ago than the status is kept."""


class StillOpen(EnvoiError, TimeoutError):  # noqa: N818  # says what is the matter, as its siblings do
    """A job has no outcome yet at the end of the time that was given to wait for it. It goes on all the same.

    Attributes:
        state: where it is; it is a :class:`envoi.State`.
    """

    def __init__(self, text: str, state: State) -> None:
        super().__init__(text, state)
        self.state = state

    def __str__(self) -> str:
        return str(self.args[0])


class NotInDoubt(EnvoiError):  # noqa: N818  # says what is wrong, as its siblings do
    """Only a job that is settling, or has ended as unknown, can be resolved; nothing was changed."""


class HalfDone(EnvoiError):  # noqa: N818  # says what is wrong, as its siblings do
    """One of queue and log was changed, and the other did not answer. Says what was done and what was not."""


class QueueUnavailable(EnvoiError):  # noqa: N818  # the name is a promise (DESIGN 8)
    """Redis did not answer. The job may or may not be enqueued: repeat with the same key."""


class QueueFull(EnvoiError):  # noqa: N818  # the name is a promise (DESIGN 8)
    """Too much waits to be copied to SQL, or Redis is nearly full, or would drop jobs. Nothing was taken: try later."""


class Recovering(EnvoiError):  # noqa: N818  # the name is a promise (DESIGN 8)
    """No scheduler has opened this queue yet, or it is being recovered. Repeat with the same key."""


class BadSignature(EnvoiError):  # noqa: N818  # the name is a promise (DESIGN 8)
    """A webhook body whose ``X-Hub-Signature-256`` does not belong to the app secret."""


class InvalidWebhook(EnvoiError):  # noqa: N818  # says what is wrong, as its siblings do
    """A webhook that is too large, not JSON, or not of the form that Meta sends. Nothing of it was taken."""


class BadSettings(WithProblems):
    """Settings are malformed; ``problems`` has them by their variables. No value is repeated: it may be a secret."""
