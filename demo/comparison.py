"""What the log says against what the sandbox delivered: every difference in one sentence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from demo.ledger import Delivery
from demo.producer import Enqueued
from envoi import State


@dataclass(frozen=True, slots=True)
class Logged:
    """A job's row in the SQL log, as far as the demonstration needs it.

    Attributes:
        state: its state.
        message_id: Meta's id, once accepted.
        attempts: runs by a worker.
        sent_at: when it was accepted.
    """

    state: State
    message_id: str | None
    attempts: int
    sent_at: datetime | None


def differences(enqueued: Sequence[Enqueued], log: Mapping[str, Logged], deliveries: Sequence[Delivery]) -> list[str]:
    """Compare what was enqueued, what the log says and what was delivered.

    Args:
        enqueued: all jobs, in the order they were handed over.
        log: the SQL log, by job id.
        deliveries: the sandbox's ledger, in the order of taking effect.

    Returns:
        A sentence for each difference; none if every job was sent exactly once, in order, and the log knows it.
    """
    messages: dict[str | None, list[Delivery]] = defaultdict(list)
    steps: dict[str, list[Delivery]] = defaultdict(list)
    for delivery in deliveries:
        steps[delivery.recipient].append(delivery)
        if delivery.step == "message":
            messages[delivery.job_id].append(delivery)
    found: list[str] = []
    for job in enqueued:
        found += _of_job(job, log.get(job.job_id), messages.pop(job.job_id, []))
    found += [f"a message that nobody enqueued was delivered: {extra}" for extra in messages.values()]
    ours = {job.job_id for job in enqueued}
    found += [f"the log has a job {job_id} that nobody enqueued" for job_id in log if job_id not in ours]
    lines: dict[str, list[Enqueued]] = defaultdict(list)
    for job in enqueued:
        lines[job.recipient].append(job)
    for recipient, line in lines.items():
        retries = sum(log[job.job_id].attempts - 1 for job in line if job.job_id in log)
        found += _of_conversation(recipient, [job.job_id for job in line], steps[recipient], retries)
    return found


def _of_job(job: Enqueued, logged: Logged | None, delivered: list[Delivery]) -> Iterable[str]:
    """One message, once, the same in the log and in the sandbox."""
    if logged is None:
        yield f"job {job.job_id} is not in the log"
    elif logged.state is not State.SENT:
        yield f"job {job.job_id} is {logged.state} in the log, not sent"
    if len(delivered) != 1:
        yield f"job {job.job_id} was delivered {len(delivered)} times"
        return
    if logged is not None and logged.message_id != delivered[0].message_id:
        yield f"job {job.job_id}: the log has message id {logged.message_id}, the sandbox {delivered[0].message_id}"
    if (delivered[0].recipient, delivered[0].text) != (job.recipient, job.text):
        yield f"job {job.job_id}: another text or recipient was delivered"


def _of_conversation(recipient: str, order: list[str], steps: list[Delivery], retries: int) -> Iterable[str]:
    """``typing_on``, message, ``typing_off``, one job after the other, with nothing between."""
    places = [place for place, delivery in enumerate(steps) if delivery.step == "message"]
    delivered = [steps[place].job_id for place in places]
    if delivered != order:
        yield f"to {recipient}: the messages came in another order than they were enqueued"
    names = [delivery.step for delivery in steps]
    for place in places:
        around = (names[place - 1] if place else None, names[place + 1] if place + 1 < len(names) else None)
        if around != ("typing_on", "typing_off"):
            yield f"to {recipient}: message {steps[place].message_id} stands between {around[0]} and {around[1]}"
    # A retried job may show and hide its bubble once more; nothing else may.
    courtesies = len(steps) - len(places)
    if not 2 * len(places) <= courtesies <= 2 * (len(places) + retries):
        yield f"to {recipient}: {courtesies} typing actions for {len(places)} messages and {retries} retries"
