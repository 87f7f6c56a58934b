"""What the acceptance tests have in common: people, jobs in turn, and the verdict over a run."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine, text

from demo.stack import Stack
from envoi import Envoi, Job, State
from envoi.log.queries import jobs as logged_jobs
from tests.acceptance.ledger import (
    BY_STATE,
    BY_VERDICT,
    LOST_ACTIONS,
    Delivered,
    Sent,
    deliveries,
    disagreements,
    doubles,
    interleavings,
    losses,
    show,
    swaps,
)

# Times shortened so that a fault and its end fit into a test; the proportions are those of production.
QUICK = {
    "ENVOI_PAGE_PACE": "500",
    "ENVOI_PAGE_CALLS": "10000",
    "ENVOI_PAGE_CAP": "200",
    "ENVOI_LEASE": "4",
    "ENVOI_READ_TIMEOUT": "3",
    "ENVOI_GRAPH_LATEST": "3",
    "ENVOI_GRAPH_LATEST_MEDIA": "3",
    "ENVOI_GRAPH_VISIBLE": "1",
    "ENVOI_BACKOFF_FIRST": "0.2",
    "ENVOI_BACKOFF_CAP": "2",
    "ENVOI_ANSWERED_WAIT": "0.2",
    "ENVOI_THROTTLE_WAIT": "0.3",
    "ENVOI_MAX_ATTEMPTS": "30",
    "ENVOI_LOOK_AGAIN": "1",
    "ENVOI_LOOKS_PACE": "50",  # Meta's two a second would only make the tests longer
}


def enqueue(stack: Stack, jobs: int, people: int, *, first: int = 0) -> list[Sent]:
    """So many jobs, to one person after the other, again and again.

    Args:
        stack: its queue and its page.
        jobs: how many.
        people: to how many.
        first: number of the first, so that texts of two calls differ.
    """
    to = [str(7_000_000_000_000_001 + number % people) for number in range(first, first + jobs)]
    made = (Job(page=stack.page, recipient=who, message=f"message {n}") for n, who in enumerate(to, first))
    ids = Envoi(stack.redis_url).send_many(made)
    return [Sent(job_id, who) for job_id, who in zip(ids, to, strict=True)]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the ledger says of a run, against what was enqueued and what the log says.

    Attributes:
        lost: jobs that were not delivered although the log does not call them unknown.
        unknown: ids of jobs that ended ``unknown``.
    """

    delivered: list[Delivered]
    lost: list[str]
    doubled: list[str]
    swapped: list[str]
    interleaved: list[str]
    disagreeing: list[str]
    unknown: list[str]


def judge(stack: Stack, engine: Engine, sent: list[Sent]) -> Verdict:
    """Compare, and print the log's own counts for the test's output."""
    told = deliveries(stack.sandbox_url)
    print(show(engine, BY_STATE), show(engine, BY_VERDICT), sep="\n")
    unknown = [job.id for job in logged_jobs(engine, state=State.UNKNOWN, limit=len(sent))]
    with engine.connect() as connection:
        lost_actions = list(connection.execute(text(LOST_ACTIONS)).scalars())
    verdict = Verdict(
        delivered=told,
        lost=losses(sent, told, excused=unknown),
        doubled=doubles(told),
        swapped=swaps(sent, told),
        interleaved=interleavings(told, excused=lost_actions),
        disagreeing=disagreements(engine, told),
        unknown=unknown,
    )
    print(
        f"{len(sent)} jobs: lost {len(verdict.lost)}, doubled {len(verdict.doubled)}, swapped {len(verdict.swapped)}, "
        f"interleaved {len(verdict.interleaved)}, unknown {len(unknown)} {unknown}"
    )
    return verdict


def assert_clean(verdict: Verdict) -> None:
    """Nothing lost, nothing twice, nothing out of order, and the log agrees with the ledger."""
    assert verdict.lost == []
    assert verdict.doubled == []
    assert verdict.swapped == []
    assert verdict.disagreeing == []
