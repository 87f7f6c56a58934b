"""Every error a caller of Envoi can meet.

EnvoiError
├── InvalidJob         a job that the Send API would refuse; names the field and the limit
├── KeyConflict        the key is taken by a job with other content
├── UnknownJob         no job with this id in Redis
├── NotInDoubt         a job that is resolved although nobody asks what became of it
├── QueueUnavailable   Redis did not answer: the job may or may not be enqueued; repeat with the same key
├── QueueFull          the log is too far behind; enqueueing is refused before Redis is full
├── Recovering         the queue is not open yet; repeat with the same key
├── BadSignature       a webhook whose signature is not the app's
└── BadSettings        a setting (`ENVOI_…`) that is malformed; names the setting and the limit
"""

from __future__ import annotations

from dataclasses import dataclass


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


class InvalidJob(EnvoiError):  # noqa: N818  # the name is a promise (DESIGN 8)
    """A job was refused at the door. Nothing was enqueued.

    Attributes:
        problems: everything that is wrong with the job, all at once.
    """

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*problems)  # as they are, so that the error survives pickling
        self.problems = problems

    def __str__(self) -> str:
        return "; ".join(str(problem) for problem in self.problems)


class KeyConflict(EnvoiError):  # noqa: N818  # the name is a promise (DESIGN 8)
    """The ``key`` is taken by a job with another recipient, message or Send API parameter."""


class UnknownJob(EnvoiError):  # noqa: N818  # the name is a promise (DESIGN 8)
    """Redis knows no job with this id: it never existed, or settled longer ago than the status is kept."""


class NotInDoubt(EnvoiError):  # noqa: N818  # says what is wrong, as its siblings do
    """Only a job that is settling, or has ended as unknown, can be resolved; nothing was changed."""


class QueueUnavailable(EnvoiError):  # noqa: N818  # the name is a promise (DESIGN 8)
    """Redis did not answer. The job may or may not be enqueued: repeat with the same key."""


class QueueFull(EnvoiError):  # noqa: N818  # the name is a promise (DESIGN 8)
    """Too many events wait to be copied to SQL. Nothing was enqueued: try again later."""


class Recovering(EnvoiError):  # noqa: N818  # the name is a promise (DESIGN 8)
    """No scheduler has opened this queue yet, or it is being recovered. Repeat with the same key."""


class BadSignature(EnvoiError):  # noqa: N818  # the name is a promise (DESIGN 8)
    """A webhook body whose ``X-Hub-Signature-256`` does not belong to the app secret."""


class BadSettings(EnvoiError):  # noqa: N818  # says what is wrong, as its siblings do
    """A setting is malformed. Its value is not repeated: it may be a secret.

    Attributes:
        problems: every setting that is wrong, by the name of its variable, with its limit.
    """

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*problems)
        self.problems = problems

    def __str__(self) -> str:
        return "; ".join(str(problem) for problem in self.problems)
