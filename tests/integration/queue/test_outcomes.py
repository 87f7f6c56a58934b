"""What the scripts tell an app of its jobs."""

from __future__ import annotations

from typing import Any

import pytest

from envoi.errors import QueueFull
from envoi.events import GraphError
from envoi.states import State
from tests.integration.queue.hands import Bench

REFUSED = GraphError("no such person", 100, 2018001)


def settled(queue: Bench, state: State) -> str:
    """A job that ended so."""
    options: dict[str, Any] = {"on_outcome": "stream:app", "key": "order 7;é,x"}
    if state is State.EXPIRED:
        job_id = queue.put(expires_in=1.0, **options)
        queue.sleep(2)
        assert queue.claim() == []
        return job_id
    job_id = queue.put(**options)
    if state is State.CANCELLED:
        queue.cancel(job_id)
        return job_id
    held = queue.take()
    queue.begin(held)
    if state is State.SENT:
        queue.done(held, "settle", message_id="m_1", recipient_id="7")
    elif state is State.FAILED:
        queue.done(held, "settle", state=State.FAILED, error=REFUSED)
    else:
        queue.done(held, "unsure", seconds=10)
        queue.sleep(11)
        queue.tick()
    return job_id


@pytest.mark.parametrize("state", [state for state in State if state.final])
def test_every_way_to_end_is_told(queue: Bench, state: State) -> None:
    before = queue.now()
    job_id = settled(queue, state)
    [told] = queue.outcomes("app")
    assert (told.job_id, told.state, told.key) == (job_id, state, "order 7;é,x")
    assert before <= told.at.timestamp() <= queue.now()
    assert (told.message_id, told.recipient_id) == (("m_1", "7") if state is State.SENT else (None, None))
    assert (told.error is None) == (state is State.SENT)
    assert state is not State.FAILED or told.error == REFUSED


def test_a_correction_is_told_when_the_job_itself_is_gone(queue: Bench) -> None:
    job_id = settled(queue, State.UNKNOWN)
    queue.db.delete(queue.keys.job(job_id))  # as the log writer does once the outcome is in the log
    assert queue.prove_sent(job_id, "m_2") == "corrected"
    assert queue.prove_sent(job_id, "m_2") == "known"
    told = queue.outcomes("app")
    assert [(one.state, one.message_id, one.key) for one in told] == [
        (State.UNKNOWN, None, "order 7;é,x"),
        (State.SENT, "m_2", "order 7;é,x"),
    ]


def test_an_outcome_said_twice_is_told_once(queue: Bench) -> None:
    queue.put(on_outcome="stream:app")
    held = queue.take()
    queue.begin(held)
    for _ in range(2):  # its answer was lost
        queue.sent(held)
    assert len(queue.outcomes("app")) == 1


def test_outcomes_of_a_conversation_come_in_its_order(queue: Bench) -> None:
    ids = [queue.put(text=f"{n}", on_outcome="stream:app") for n in range(3)]
    for _ in ids:
        held = queue.take()
        queue.begin(held)
        queue.sent(held)
    assert [told.job_id for told in queue.outcomes("app")] == ids


def test_no_text_is_told(queue: Bench) -> None:
    queue.put(text="for your eyes only", on_outcome="celery:shop.told@out")
    held = queue.take()
    queue.begin(held)
    queue.sent(held)
    [(_, fields)] = queue.db.xrange(queue.keys.tasks)
    assert fields["o"] == "celery:shop.told@out,"
    assert "eyes" not in str(fields)


def test_who_does_not_ask_is_not_told(queue: Bench) -> None:
    queue.put(key="k")
    held = queue.take()
    queue.begin(held)
    queue.sent(held)
    assert queue.db.keys("*out*") == queue.db.keys("*tasks*") == []


@pytest.mark.parametrize("target", ["stream:app", "celery:shop.told"])
def test_what_nobody_reads_refuses_new_jobs_of_that_stream_and_drops_nothing(queue: Bench, target: str) -> None:
    capped = Bench(queue.db, events_cap=3)
    held = [capped.put(str(person), on_outcome=target) for person in range(3)]
    for claimed in capped.claim(3):
        capped.begin(claimed)
        capped.sent(claimed)
    capped.db.delete(capped.keys.events)  # the log has copied them
    with pytest.raises(QueueFull, match=f"outcomes wait unread: {target}"):
        capped.put(on_outcome=target)
    assert capped.db.keys(capped.keys.line("*")) == []
    capped.put("9")
    capped.put("9", on_outcome="stream:other")
    stream = capped.keys.tasks if target.startswith("celery") else capped.keys.outcomes("app")
    told: list[Any] = capped.db.xrange(stream)
    assert {fields["j"] for _, fields in told} == set(held)
    capped.db.xdel(stream, told[0][0])
    capped.put("9", on_outcome=target)
