"""The sandbox's ledger against what was enqueued and what the log says: every fault of a run, each in a sentence.

Written for the tests alone and apart from the demonstration's comparison: a judge of its own, itself tested
(tests/unit/test_ledger_judge.py) with ledgers that hold a loss, a double, a swap, an interleaving.
"""

from __future__ import annotations

import json
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Engine, text

from envoi import split_metadata


@dataclass(frozen=True, slots=True)
class Delivered:
    """A step that took effect, in the order of taking effect."""

    recipient: str
    step: str
    job_id: str | None = None
    message_id: str | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """A job as it was enqueued: its id and its recipient's."""

    job_id: str
    recipient: str


def control(url: str, method: str, path: str, body: object = None) -> Any:
    """Ask the sandbox's control interface."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(  # noqa: S310  # a sandbox on 127.0.0.1
        f"{url}/sandbox/{path}", data, {"Content-Type": "application/json"}, method=method
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310  # as above
        return json.load(answer)


def lift_look_limit(url: str) -> None:
    """Let the sandbox be asked for conversations as often as needed; Meta's limit is two a second for a page."""
    control(url, "PUT", "switches", {"conversations_per_second": None})


def order_fault(url: str, fault: dict[str, object], **rule: object) -> None:
    """Order a fault for message calls."""
    control(url, "POST", "rules", {"match": {"step": "message"}, "fault": fault, **rule})


def entries(url: str, **query: object) -> list[dict[str, Any]]:
    """The ledger's entries, all pages of it."""
    found: list[dict[str, Any]] = []
    after: int | None = 0
    while after is not None:
        answer = control(url, "GET", f"ledger?{urlencode({**query, 'after': after, 'limit': 10_000})}")
        found += answer["entries"]
        after = answer["next"]
    return found


def deliveries(url: str) -> list[Delivered]:
    """Everything that took effect, in that order."""
    return [
        Delivered(
            recipient=str(entry["recipient"]["id"]),
            step=entry["step"],
            job_id=split_metadata(entry["metadata"])[1],
            message_id=entry["message_id"],
        )
        for entry in entries(url, order="delivery")
    ]


def losses(sent: Sequence[Sent], delivered: Iterable[Delivered], *, excused: Iterable[str] = ()) -> list[str]:
    """Jobs that were not delivered; ``excused`` are those whose outcome says so."""
    arrived = {entry.job_id for entry in delivered if entry.step == "message"}
    return [f"{job.job_id} was lost" for job in sent if job.job_id not in arrived and job.job_id not in set(excused)]


def doubles(delivered: Iterable[Delivered]) -> list[str]:
    """Jobs that were delivered more than once."""
    times = Counter(entry.job_id for entry in delivered if entry.step == "message")
    return [f"{job_id} was delivered {count} times" for job_id, count in times.items() if count > 1]


def swaps(sent: Sequence[Sent], delivered: Iterable[Delivered]) -> list[str]:
    """Messages that overtook an earlier one of the same conversation."""
    place = {job.job_id: number for number, job in enumerate(sent)}
    last: dict[str, int] = {}
    found = []
    for entry in delivered:
        if entry.step != "message":
            continue
        if entry.job_id not in place:
            found.append(f"{entry.job_id} was enqueued by nobody")
            continue
        number = place[entry.job_id]
        if number < last.get(entry.recipient, -1):
            found.append(f"{entry.job_id} to {entry.recipient} came after a later one")
        last[entry.recipient] = max(number, last.get(entry.recipient, -1))
    return found


def interleavings(delivered: Iterable[Delivered], *, excused: Iterable[str] = ()) -> list[str]:
    """Messages that do not stand right between their ``typing_on`` and their ``typing_off``.

    For runs in which no worker is lost: a killed one may leave a bubble behind, or one be shown twice.

    Args:
        delivered: in the order of taking effect.
        excused: jobs of which a sender action never reached Graph: a courtesy is not repeated.
    """
    pardoned = set(excused)
    lines: dict[str, list[Delivered]] = defaultdict(list)
    for entry in delivered:
        lines[entry.recipient].append(entry)
    found = []
    for recipient, line in lines.items():
        steps = [None, *(entry.step for entry in line), None]
        for place, entry in enumerate(line, 1):
            around = (steps[place - 1], steps[place + 1])
            if entry.step == "message" and around != ("typing_on", "typing_off") and entry.job_id not in pardoned:
                found.append(f"{entry.job_id} to {recipient} stands between {around[0]} and {around[1]}")
    return found


def disagreements(engine: Engine, delivered: Sequence[Delivered]) -> list[str]:
    """Where the log's rows and the ledger differ: message ids of sent jobs, accepted calls."""
    with engine.connect() as connection:
        sent = {row.id: row.message_id for row in connection.execute(text(SENT_JOBS))}
        accepted = {row.message_id: row.job_id for row in connection.execute(text(ACCEPTED_CALLS))}
    truth = {entry.job_id: entry.message_id for entry in delivered if entry.step == "message"}
    found = [
        f"{job_id} is sent as {message_id}, the ledger says {truth.get(job_id)}"
        for job_id, message_id in sent.items()
        if truth.get(job_id) != message_id
    ]
    found += [
        f"an accepted call of {job_id} bears {message_id}, the ledger says {truth.get(job_id)}"
        for message_id, job_id in accepted.items()
        if truth.get(job_id) != message_id
    ]
    return found


LOST_ACTIONS = "SELECT DISTINCT job_id FROM calls WHERE step <> 'message' AND http_status IS NULL"
SENT_JOBS = "SELECT id, message_id FROM jobs WHERE state = 'sent'"
ACCEPTED_CALLS = "SELECT job_id, message_id FROM calls WHERE step = 'message' AND verdict = 'Accepted'"
BY_STATE = "SELECT state, count(*) AS jobs, count(message_id) AS with_id FROM jobs GROUP BY state ORDER BY state"
BY_VERDICT = "SELECT step, verdict, count(*) AS calls FROM calls GROUP BY step, verdict ORDER BY step, verdict"


def show(engine: Engine, query: str) -> str:
    """A query and its rows, for the test's output."""
    with engine.connect() as connection:
        rows = connection.execute(text(query))
        lines = [" | ".join(rows.keys()), *(" | ".join(str(value) for value in row) for row in rows)]
    return "\n".join([query, *(f"    {line}" for line in lines)])
