"""The checker: the sandbox's ledger against what was enqueued and what the log says, as figures of one run.

Lost, twice, out of order and disagreeing message ids are found by the judge of the acceptance tests
(tests/acceptance/ledger.py). Here is what faults add: outcomes that are false, jobs without one, bubbles left up, and
courtesies that are judged from the steps alone, since a killed worker logs none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields

from envoi.states import State
from tests.acceptance.ledger import Delivered, Sent, doubles, losses, swaps

_SHOWN = 4  # steps before a message that came without a bubble
_UNSENT = (State.FAILED, State.EXPIRED, State.CANCELLED)


@dataclass(frozen=True, slots=True)
class Logged:
    """A job's row in the log, as far as the checker needs it."""

    state: State
    message_id: str | None = None


@dataclass(slots=True)
class Findings:
    """What a run came to: a sentence for each thing that is wrong, in the class that it belongs to.

    Attributes:
        jobs: how many were enqueued.
        lost: not delivered, and the log does not admit it: it says ``sent``, or has no row.
        twice: delivered more than once.
        out_of_order: delivered after a later job of the same conversation, or enqueued by nobody.
        interleaved: a message whose bubble another job has taken away, or that never had one.
        false: the outcome in the log is not what happened: failed but delivered, another message id.
        open: without an outcome when the run was over.
        unsent: the log says that they were not sent, and that is true; a fault that should be outlived has none.
        unknown: nobody could say; each may or may not have been delivered.
        bubbles: conversations in which typing was left showing; Meta takes it away after 20 s.
    """

    jobs: int = 0
    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    out_of_order: list[str] = field(default_factory=list)
    interleaved: list[str] = field(default_factory=list)
    false: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    unsent: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    bubbles: list[str] = field(default_factory=list)

    def add(self, other: Findings) -> None:
        """Count another run's in."""
        for item in fields(self):
            setattr(self, item.name, getattr(self, item.name) + getattr(other, item.name))

    def broken(self) -> dict[str, list[str]]:
        """What no fault may ever cause, by its class; empty if all promises were kept."""
        names = ("lost", "twice", "out_of_order", "interleaved", "false", "open", "unsent")
        return {name: found for name in names if (found := getattr(self, name))}


def check(
    sent: Sequence[Sent],
    delivered: Sequence[Delivered],
    log: Mapping[str, Logged],
    *,
    unshown: Iterable[str] = (),
) -> Findings:
    """Compare.

    Args:
        sent: every job, in the order of enqueueing.
        delivered: every step that took effect, in that order.
        log: every job's row.
        unshown: jobs of which a sender action never reached Graph, by the log: a courtesy is not repeated.
    """
    outcomes = {job.job_id: log.get(job.job_id, Logged(State.QUEUED)).state for job in sent}
    admitted = {job_id for job_id, state in outcomes.items() if state is State.UNKNOWN or state in _UNSENT}
    unfinished = [job_id for job_id, state in outcomes.items() if not state.final]
    return Findings(
        jobs=len(sent),
        lost=losses(sent, delivered, excused=admitted | (set(unfinished) & log.keys())),
        twice=doubles(delivered),
        out_of_order=swaps(sent, delivered),
        interleaved=list(_interleaved(delivered, set(unshown))),
        false=list(_false(delivered, log)),
        open=unfinished,
        unsent=list(_unsent(delivered, outcomes)),
        unknown=[job_id for job_id, state in outcomes.items() if state is State.UNKNOWN],
        bubbles=_bubbles(delivered),
    )


def _false(delivered: Iterable[Delivered], log: Mapping[str, Logged]) -> Iterable[str]:
    """Outcomes that say another thing than the ledger; those of jobs that never arrived are losses."""
    ids: dict[str | None, set[str | None]] = defaultdict(set)
    for entry in delivered:
        if entry.step == "message":
            ids[entry.job_id].add(entry.message_id)
    for job_id, logged in log.items():
        if logged.state in _UNSENT and ids[job_id]:
            yield f"{job_id} is {logged.state.value}, and was delivered"
        if logged.state is State.SENT and ids[job_id] and logged.message_id not in ids[job_id]:
            yield f"{job_id} is sent as {logged.message_id}, and was delivered as {sorted(map(str, ids[job_id]))}"


def _unsent(delivered: Iterable[Delivered], outcomes: Mapping[str, State]) -> Iterable[str]:
    arrived = {entry.job_id for entry in delivered if entry.step == "message"}
    for job_id, state in outcomes.items():
        if state in _UNSENT and job_id not in arrived:
            yield f"{job_id} is {state.value}, and was not delivered"


def _interleaved(delivered: Iterable[Delivered], unshown: set[str]) -> Iterable[str]:
    """Messages that do not come right after a bubble of their own."""
    before: dict[str, list[str]] = defaultdict(lambda: ["nothing"])
    for entry in delivered:
        steps = before[entry.recipient]
        if entry.step == "message" and steps[-1] != "typing_on" and entry.job_id not in unshown:
            yield f"{entry.job_id} to {entry.recipient} came after {', '.join(steps[-_SHOWN:])}"
        steps.append(entry.step)


def _bubbles(delivered: Iterable[Delivered]) -> list[str]:
    last = {entry.recipient: entry.step for entry in delivered}
    return [recipient for recipient, step in last.items() if step != "typing_off"]
