"""Every row of the table of codes through a real queue: what becomes of the job, and whom else it stops.

Graph's answer to the first job's message call is made from the row; every other call is accepted.
"""

from __future__ import annotations

import json
from typing import NamedTuple

import pytest

from envoi.events import CallRecord
from envoi.queue.claim import Claimed
from tests.integration.queue.hands import PAGE, Bench
from worker.answers import Answer, judge, verdict_name
from worker.asks import Call, Look, Tell, Wait
from worker.codes import TABLE, Class, Row, refuses_untagged_only
from worker.delivery import Delivery
from worker.graph import Outcome
from worker.steps import Step
from worker.verdicts import Accepted, Verdict

OTHER_PAGE = "200000000000002"


class After(NamedTuple):
    """What is to be seen once everyone has had a turn: a verdict, then states of jobs.

    Attributes:
        same: the next job of the same person.
        person: the job of another person on the page.
        page: the job of another page.
    """

    verdict: str
    job: str
    same: str
    person: str
    page: str


EXPECTED = {
    Class.TRY_LATER: After("TryLater", "retrying", "queued", "sent", "sent"),
    Class.TRY_LATER_ANSWERED: After("TryLater", "retrying", "queued", "sent", "sent"),
    Class.THROTTLE_APP: After("Throttled", "queued", "queued", "queued", "queued"),
    Class.THROTTLE_PAGE: After("Throttled", "queued", "queued", "queued", "sent"),
    Class.THROTTLE_RECIPIENT: After("Throttled", "queued", "queued", "sent", "sent"),
    Class.REFUSED_MESSAGE: After("Refused", "failed", "sent", "sent", "sent"),
    Class.REFUSED_RECIPIENT: After("Refused", "failed", "failed", "sent", "sent"),
    Class.REFUSED_PAGE: After("Refused", "queued", "queued", "queued", "sent"),
    Class.UNKNOWN: After("Unknown", "settling", "queued", "sent", "sent"),
}


def answer_of(row: Row) -> Verdict:
    """The verdict on Graph's answer with this row's code."""
    error = {"message": "as ordered", "code": row.code, "error_subcode": row.subcode, "fbtrace_id": "A"}
    return judge(Answer(400, json.dumps({"error": error}).encode()), "message", throttle_wait=60.0).verdict


def deliver(queue: Bench, held: Claimed, verdict: Verdict) -> int:
    """Play an attempt against the queue. Returns how many message calls it made."""
    walk, calls = Delivery(held, queue.settings, queue.now).walk(), 0
    try:
        ask = walk.send(None)
        while True:
            if isinstance(ask, Call):
                calls += ask.step is Step.MESSAGE
                found = verdict if ask.step is Step.MESSAGE else Accepted(None, "7")
                record = CallRecord(ask.step.value, queue.now(), 1.0, verdict_name(found))
                ask = walk.send(Outcome(found, record))
            elif isinstance(ask, Wait):
                ask = walk.send(None)
            elif isinstance(ask, Tell):
                queue.trip([ask.command])
                ask = walk.send(None)
            else:
                assert not isinstance(ask, Look), "a look comes before a second call, and there is none here"
                ask = walk.send(queue.trip([ask])[0])
    except StopIteration:
        return calls


def deliver_the_rest(queue: Bench) -> list[str]:
    """Give everyone who may go now a turn, every call accepted. Returns the ids of jobs that were called for."""
    called = []
    while found := queue.claim(10):
        called += [held.job_id for held in found if deliver(queue, held, Accepted(f"m_{held.job_id}", "7"))]
        queue.sleep(0.2)
    return called


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.code}/{row.subcode}")
def test_each_code_has_its_consequence_for_the_job_and_for_nobody_beyond_its_scope(queue: Bench, row: Row) -> None:
    job = queue.put("1")
    first = queue.take()
    verdict = answer_of(row)
    deliver(queue, first, verdict)
    same, person, page = queue.put("1"), queue.put("2"), queue.put("1", page=OTHER_PAGE)
    called = deliver_the_rest(queue)

    states = [queue.state(job_id) for job_id in (job, same, person, page)]
    assert After(verdict_name(verdict), *states) == EXPECTED[row.outcome]
    assert job not in called
    assert sorted(called) == sorted(job_id for job_id in (same, person, page) if queue.state(job_id) == "sent")
    if states[0] in {"failed", "retrying", "settling"}:
        assert json.loads(str(queue.status(job)["error"]))["code"] == row.code
    if row.outcome is Class.REFUSED_PAGE:
        assert queue.db.hget(queue.keys.page(PAGE), "paused").startswith(str(row.code))
    if states[0] == "queued":  # a throttle, or a paused page: it costs no attempt
        assert int(queue.db.hget(queue.keys.conversation(first.conversation), "a") or 0) == 0


@pytest.mark.parametrize("row", [row for row in TABLE if row.outcome is Class.REFUSED_RECIPIENT], ids=str)
def test_after_a_refusal_of_a_person_a_tag_passes_where_only_the_window_is_closed(queue: Bench, row: Row) -> None:
    queue.put("1")
    deliver(queue, queue.take(), answer_of(row))
    tagged = queue.put("1", messaging_type="MESSAGE_TAG", tag="HUMAN_AGENT")
    deliver_the_rest(queue)
    passes = refuses_untagged_only(row.code, row.subcode)
    assert queue.state(tagged) == ("sent" if passes else "failed")


def test_a_job_that_an_earlier_refusal_stops_says_so(queue: Bench) -> None:
    queue.put("1")
    deliver(queue, queue.take(), answer_of(next(row for row in TABLE if row.code == 551)))
    stopped = queue.put("1")
    assert deliver_the_rest(queue) == []
    error = json.loads(str(queue.status(stopped)["error"]))
    assert error["code"] == 551
    assert error["message"].startswith("no call made: an earlier message to this person was refused (551")
