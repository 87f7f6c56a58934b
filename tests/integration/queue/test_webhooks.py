"""What webhooks bring to the queue: proofs, windows, an end to refusals."""

from __future__ import annotations

import random
import warnings
from typing import Any

import pytest

from envoi.errors import InvalidJob, QueueFull
from envoi.events import GraphError
from envoi.notices import Echo, Enforcement, Inbound, Notice
from envoi.queue.begin import No
from envoi.queue.done import Done
from envoi.queue.keys import conversation_of
from envoi.queue.refusal import Refusal
from envoi.states import State
from envoi.window import WindowClosed
from scheduler.webhooks import WebhookNotices
from tests.integration.queue.hands import PAGE, Bench

DAY = 86_400.0


def tell(queue: Bench, *notices: Notice) -> None:
    """A webhook comes, and a scheduler applies what it brings."""
    queue.take_notices(notices)
    applier = WebhookNotices(queue)
    while applier.turn():
        pass


def echo(queue: Bench, job_id: str | None, message_id: str = "m_1", person: str = "1") -> Echo:
    return Echo(PAGE, person, message_id, queue.now(), job_id)


def heard(queue: Bench, ago: float, person: str = "1") -> Inbound:
    return Inbound(PAGE, person, queue.now() - ago)


def test_an_echo_settles_what_nobody_answered_for(queue: Bench) -> None:
    job_id, behind = queue.put(), queue.put()
    held = queue.take()
    queue.begin(held)
    queue.done(held, "unsure", seconds=90.0)
    assert queue.state(job_id) == "settling"
    tell(queue, echo(queue, job_id))
    assert (queue.state(job_id), queue.status(job_id)["message_id"]) == ("sent", "m_1")
    assert queue.take().job_id == behind


def test_an_echo_before_the_answer_is_found_by_the_worker(queue: Bench) -> None:
    job_id = queue.put()
    held = queue.take()
    queue.begin(held)
    tell(queue, echo(queue, job_id))
    assert queue.done(held, "settle", message_id="m_1") == "ok"
    assert queue.states(job_id).count("sent") == 1


def test_an_echo_that_comes_after_the_end_corrects_it(queue: Bench) -> None:
    job_id = queue.put()
    held = queue.take()
    queue.begin(held)
    queue.done(held, "unsure", seconds=1.0)
    queue.sleep(2.0)
    queue.tick()
    assert queue.state(job_id) == "unknown"
    tell(queue, echo(queue, job_id))
    assert queue.state(job_id) == "sent"


def test_twice_and_in_any_order_comes_to_the_same(queue: Bench) -> None:
    jobs = [queue.put(str(person)) for person in range(1, 4)]
    for held in queue.claim(3):
        queue.begin(held)
        queue.done(held, "unsure", seconds=90.0)
    notices: list[Notice] = [echo(queue, job_id, f"m_{n}", str(n)) for n, job_id in enumerate(jobs, 1)]
    notices += [heard(queue, 10.0), heard(queue, 3 * DAY), heard(queue, 5.0, "2")]
    for seed in range(3):
        shuffled = notices * 2
        random.Random(seed).shuffle(shuffled)  # noqa: S311  # an order, no secret
        tell(queue, *shuffled)
    assert [queue.state(job_id) for job_id in jobs] == ["sent"] * 3
    found = queue.heard_of([conversation_of(PAGE, "id", "1")])[0]
    assert found == pytest.approx(queue.now() - 10.0, abs=2.0), "a later sign of life is never taken back"


def test_a_foreign_echo_is_known_as_no_message_of_ours(queue: Bench) -> None:
    tell(queue, echo(queue, None, "m_human"), echo(queue, None, "m_human"))
    found = queue.db.lrange(queue.keys.known(conversation_of(PAGE, "id", "1")), 0, -1)
    assert [entry.split(" ")[1] for entry in found] == ["m_human"]


def test_who_was_never_heard_of_is_written_to(queue: Bench) -> None:
    assert queue.put()


@pytest.mark.parametrize(
    ("ago", "options", "open_"),
    [
        (23 * 3600, {}, True),
        (25 * 3600, {}, False),
        (25 * 3600, {"messaging_type": "UPDATE"}, False),
        (25 * 3600, {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}, True),
        (7 * DAY + 60, {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}, False),
    ],
)
def test_the_door_keeps_the_window_of_whom_it_knows(
    queue: Bench, ago: float, options: dict[str, Any], open_: bool
) -> None:
    tell(queue, heard(queue, ago))
    if open_:
        assert queue.put(**options)
        return
    with pytest.raises(InvalidJob, match=r"recipient: .*window"):
        queue.put(**options)
    assert not queue.db.keys(queue.keys.job("*"))


def test_a_window_that_closes_while_the_job_waits_lets_no_call_begin(queue: Bench) -> None:
    tell(queue, heard(queue, DAY - 10.0))
    queue.put(expires_in=3600.0)
    queue.sleep(20.0)
    assert queue.begin(queue.take()) == No("window")


def test_a_person_who_writes_meanwhile_opens_it_again(queue: Bench) -> None:
    tell(queue, heard(queue, DAY - 10.0))
    job_id = queue.put(expires_in=3600.0)
    queue.sleep(20.0)
    tell(queue, heard(queue, 1.0))
    held = queue.take()
    queue.begin(held)
    queue.sent(held)
    assert queue.state(job_id) == "sent"


def test_the_policy_can_be_a_warning_or_off(queue: Bench) -> None:
    tell(queue, heard(queue, 2 * DAY))
    warns = Bench(queue.db, window="warn")
    with pytest.warns(WindowClosed):
        assert warns.put()
    off = Bench(queue.db, window="off")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert off.put()


def test_a_person_who_writes_is_written_to_again_after_a_refusal(queue: Bench) -> None:
    queue.put()
    queue.put()
    refused = Refusal(GraphError("not available", 551), untagged_only=False)
    queue.trip([Done(queue.take(), "settle", [], state=State.FAILED, refusal=refused)])
    held = queue.take()
    assert held.refusal
    queue.done(held, "back")
    tell(queue, heard(queue, 0.0))
    assert queue.take().refusal is None


def test_an_enforcement_pauses_the_page_once(queue: Bench) -> None:
    told = Enforcement(PAGE, queue.now(), "block")
    tell(queue, told)
    assert str(queue.db.hget(queue.keys.page(PAGE), "paused")).startswith("policy enforcement: block")
    queue.resume(PAGE)
    tell(queue, told)
    assert queue.db.hget(queue.keys.page(PAGE), "paused") is None, "an operator has resumed it since"


def test_more_than_fits_is_refused_and_nothing_of_it_taken(queue: Bench) -> None:
    small = Bench(queue.db, webhooks_cap=2)
    with pytest.raises(QueueFull):
        small.take_notices([echo(queue, None, f"m_{number}") for number in range(3)] + [heard(queue, 0.0)])
    assert not queue.db.exists(queue.keys.told, queue.keys.heard(conversation_of(PAGE, "id", "1")))


def test_a_scheduler_that_dies_loses_no_notice(queue: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = queue.put()
    held = queue.take()
    queue.begin(held)
    queue.done(held, "unsure", seconds=90.0)
    queue.take_notices([echo(queue, job_id)])
    dying = WebhookNotices(queue)
    monkeypatch.setattr(dying, "_apply", lambda _: (_ for _ in ()).throw(SystemExit))
    with pytest.raises(SystemExit):
        dying.turn()
    queue.db.delete(f"{queue.keys.told}:lease")  # its time is up
    assert WebhookNotices(queue).turn() == 1
    assert queue.state(job_id) == "sent"
