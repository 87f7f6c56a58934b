"""What nobody, or the wrong answer, told of a message call: evidence is found, and every job ends ``sent``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, text

from demo.stack import Stack
from envoi import State, split_metadata
from tests.acceptance.conftest import MakeStack
from tests.acceptance.ledger import Sent, control, entries, lift_look_limit, order_fault
from tests.acceptance.outcomes import wait_until_settled
from tests.acceptance.runs import Verdict, assert_clean, enqueue, judge
from tests.waiting import wait_until

OpenedLog = Callable[[Stack], Engine]

LATEST, VISIBLE = 2, 0.5  # G and V, seconds: the first look, 2 s after the call, proves no absence
QUICK = {
    "ENVOI_PAGE_PACE": "500",
    "ENVOI_PAGE_CALLS": "10000",
    "ENVOI_PAGE_CAP": "200",
    "ENVOI_LEASE": "3",
    "ENVOI_READ_TIMEOUT": "1.5",
    "ENVOI_GRAPH_LATEST": str(LATEST),
    "ENVOI_GRAPH_LATEST_MEDIA": str(LATEST),
    "ENVOI_GRAPH_VISIBLE": str(VISIBLE),
    "ENVOI_LOOK_AGAIN": "1",
    "ENVOI_LOOKS_PACE": "50",  # Meta's two a second would only make the tests longer
    "ENVOI_BACKOFF_FIRST": "0.2",
    "ENVOI_BACKOFF_CAP": "2",
    "ENVOI_ANSWERED_WAIT": "0.2",
}
JOBS, PEOPLE = 80, 40
Calls = dict[str, list[dict[str, Any]]]  # of each job, its message calls as the ledger has them


def started(make_stack: MakeStack, **options: Any) -> Stack:
    """Two workers, and a sandbox that may be looked into as often as needed."""
    stack = make_stack(settings=QUICK, **options)
    stack.start(workers=2)
    lift_look_limit(stack.sandbox_url)
    return stack


def message_calls(stack: Stack) -> Calls:
    found: Calls = defaultdict(list)
    for entry in entries(stack.sandbox_url, step="message"):
        found[str(split_metadata(entry["metadata"])[1])].append(entry)
    return found


def struck(stack: Stack, *faults: dict[str, object], times: int) -> int:
    """Order each fault for so many of the next message calls; returns for how many in all."""
    control(stack.sandbox_url, "DELETE", "rules")
    for place, fault in enumerate(faults):
        order_fault(stack.sandbox_url, fault, every=3 + place, times=times)
    return len(faults) * times


def all_struck(stack: Stack) -> int:
    """How many calls met a fault in force."""
    return sum(rule["hits"] for rule in control(stack.sandbox_url, "GET", "rules")["rules"])


def settled_as_sent(stack: Stack, engine: Engine, sent: list[Sent]) -> Verdict:
    """Every job ends ``sent``, as the ledger has it: nothing lost, twice, out of order or unknown."""
    assert wait_until_settled(stack, engine, len(sent), timeout=40) == {State.SENT: len(sent)}
    verdict = judge(stack, engine, sent)
    assert_clean(verdict)
    assert verdict.unknown == []
    assert len({entry.job_id for entry in verdict.delivered if entry.step == "message"}) == len(sent)
    return verdict


def count(engine: Engine, condition: str) -> int:
    """Message calls in the log of which a condition holds."""
    with engine.connect() as connection:
        wanted = text(f"SELECT count(*) FROM calls WHERE step = 'message' AND {condition}")  # noqa: S608  # our own
        return int(connection.execute(wanted).scalar_one())


def test_answers_that_are_lost_or_wrong_cost_no_message_and_double_none(
    make_stack: MakeStack, opened_log: OpenedLog
) -> None:
    # One stack for all of it: starting one takes longer than each.
    stack = started(make_stack, latency=0.01)
    engine = opened_log(stack)
    sent = _delivered_and_never_answered(stack, engine, [])
    sent = _read_and_never_delivered(stack, engine, sent)
    _delivered_and_answered_as_failed(stack, engine, sent)


def _delivered_and_never_answered(stack: Stack, engine: Engine, before: list[Sent]) -> list[Sent]:
    """A look finds each: no second call."""
    kinds = ("hold", "reset", "bad_gateway", "garbage", "no_message_id")
    hit = struck(stack, *({"kind": kind, "delivered": True} for kind in kinds), times=4)
    sent = before + enqueue(stack, JOBS, PEOPLE, first=len(before))
    settled_as_sent(stack, engine, sent)
    assert all_struck(stack) == hit
    assert count(engine, "verdict = 'Unknown'") == hit
    assert all(len(calls) == 1 for calls in message_calls(stack).values())
    return sent


def _read_and_never_delivered(stack: Stack, engine: Engine, before: list[Sent]) -> list[Sent]:
    """Absence proves nothing before G + V; then each is sent, once."""
    hit = struck(stack, {"kind": "reset", "delivered": False}, {"kind": "bad_gateway", "delivered": False}, times=6)
    sent = before + enqueue(stack, JOBS, PEOPLE, first=len(before))
    settled_as_sent(stack, engine, sent)
    assert all_struck(stack) == hit
    repeated = [calls for calls in message_calls(stack).values() if len(calls) > 1]
    assert len(repeated) == hit
    for first, second in repeated:
        assert (first["delivered"], second["delivered"]) == (False, True)
        assert second["arrived_at"] - first["arrived_at"] >= LATEST + VISIBLE
    return sent


def _delivered_and_answered_as_failed(stack: Stack, engine: Engine, before: list[Sent]) -> None:
    """Graph's own word that a call failed is not always true: a look before the retry finds the message."""
    error = {"kind": "error", "status": 500}
    hit = struck(stack, {**error, "code": 1, "delivered": True}, {**error, "code": 2, "delivered": False}, times=6)
    sent = before + enqueue(stack, JOBS, PEOPLE, first=len(before))
    settled_as_sent(stack, engine, sent)
    assert all_struck(stack) == hit
    calls = [message_calls(stack)[job.job_id] for job in sent[len(before) :]]
    found = [one for one in calls if one[0]["error_code"] == 1]
    assert len(found) == 6
    assert all(len(one) == 1 for one in found)
    assert [len(one) for one in calls if one[0]["error_code"] == 2] == [2] * 6


def test_a_worker_killed_in_its_message_calls_leaves_nothing_unknown(
    make_stack: MakeStack, opened_log: OpenedLog
) -> None:
    stack = started(make_stack, latency=0.02)
    engine = opened_log(stack)
    control(stack.sandbox_url, "PUT", "latency", {"default": 0.02, "steps": {"message": 0.8}})
    sent = enqueue(stack, 160, people=80)
    wait_until(  # one worker has no more than 32
        lambda: len(entries(stack.sandbox_url, step="message", ending="open")) > 32,
        "both workers are in their message calls",
    )
    stack.child("worker", 0).kill()
    control(stack.sandbox_url, "PUT", "latency", {"default": 0.02})
    assert wait_until_settled(stack, engine, len(sent), timeout=40, watch=False) == {State.SENT: len(sent)}

    verdict = judge(stack, engine, sent)
    assert_clean(verdict)
    assert verdict.unknown == []
    # Delivered all the same, and nobody was there to hear it.
    assert entries(stack.sandbox_url, step="message", ending="gone")
