"""What becomes of a message call that nobody answered for: by looks into a real sandbox."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from envoi.job import Job
from envoi.queue.begin import Begin
from envoi.queue.claim import Claim
from tests.integration.sandbox.client import PAGE
from tests.integration.settling.rig import LATEST, PERSON, VISIBLE, Rig

W = LATEST + VISIBLE


def silence(rig: Rig, *, delivered: bool, times: int = 1) -> None:
    """The next message call gets no answer."""
    fault = {"kind": "hold", "delivered": delivered}
    rig.meta.order(match={"step": "message"}, fault=fault, times=times)


def thread(rig: Rig) -> list[tuple[str, str]]:
    """Ids and texts in the thread, oldest first, as the ledger has them."""
    found = rig.meta.control("GET", "ledger")["entries"]
    delivered = [entry for entry in found if entry["step"] == "message" and entry["delivered"]]
    return [(entry["message_id"], entry["text"]) for entry in delivered]


def test_a_delivered_message_without_an_answer_is_found_and_not_sent_again(rig: Rig) -> None:
    silence(rig, delivered=True)
    with rig.settling():
        job_id, following = rig.send("hello"), rig.send("and this")
        found = rig.ended(job_id, "sent")
        rig.ended(following, "sent")
    assert rig.texts() == ["hello", "and this"]
    assert found["message_id"] == thread(rig)[0][0]
    assert found["recipient_id"] == PERSON


def test_a_message_that_was_not_delivered_is_sent_once_more_and_not_before_its_absence_proves_anything(
    rig: Rig,
) -> None:
    silence(rig, delivered=False)
    began = time.time()
    with rig.settling():
        job_id, following = rig.send("hello"), rig.send("and this")
        found = rig.ended(job_id, "sent")
        again = time.time()
        rig.ended(following, "sent")
    assert rig.texts() == ["hello", "and this"]
    assert int(found["attempts"]) == 2
    assert again - began >= rig.rules.read_timeout + W


def test_of_two_equal_texts_the_one_that_was_sent_before_is_not_taken_for_the_other(rig: Rig) -> None:
    with rig.settling():
        first = rig.ended(rig.send("hello"), "sent")
        silence(rig, delivered=False)
        second = rig.ended(rig.send("hello"), "sent")
        silence(rig, delivered=True)
        third = rig.ended(rig.send("hello"), "sent")
    assert rig.texts() == ["hello"] * 3
    assert [first["message_id"], second["message_id"], third["message_id"]] == [mid for mid, _ in thread(rig)]
    assert [int(found["attempts"]) for found in (first, second, third)] == [1, 2, 1]


def test_a_humans_message_in_between_whose_echo_came_is_not_taken_for_ours(rig: Rig) -> None:
    silence(rig, delivered=False)
    with rig.settling():
        job_id = rig.send("hello")
        rig.until(lambda: rig.state(job_id) == "settling", "it settles")
        mid = rig.write("hello")
        assert rig.queue.foreign_echo(PAGE, PERSON, mid, time.time())
        found = rig.ended(job_id, "sent")
    assert int(found["attempts"]) == 2
    assert found["message_id"] != mid


@pytest.mark.parametrize("delivered", [True, False])
def test_a_humans_message_without_an_echo_leaves_the_matter_open(rig: Rig, *, delivered: bool) -> None:
    silence(rig, delivered=delivered)
    with rig.settling():
        job_id, following = rig.send("hello"), rig.send("and this")
        rig.until(lambda: rig.state(job_id) == "settling", "it settles")
        rig.write("I am a human")
        rig.ended(job_id, "unknown")
        rig.ended(following, "sent")
    assert rig.texts() == (["hello"] if delivered else []) + ["and this"]


def test_a_message_that_says_something_else_is_no_absence(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig()
    silence(rig, delivered=False)
    with rig.settling():
        job_id = rig.send("hello ")
        rig.until(lambda: rig.state(job_id) == "settling", "it settles")
        rig.write("hello")  # as if Graph had trimmed it
        rig.ended(job_id, "unknown")
    assert rig.texts() == []


def test_what_the_person_writes_is_in_nobodys_way(rig: Rig) -> None:
    silence(rig, delivered=False)
    with rig.settling():
        job_id = rig.send("hello")
        rig.until(lambda: rig.state(job_id) == "settling", "it settles")
        rig.write("hello", "person")
        assert int(rig.ended(job_id, "sent")["attempts"]) == 2
    assert rig.texts() == ["hello"]


def test_a_message_that_shows_late_is_waited_for(rig: Rig) -> None:
    rig.meta.control("PUT", "switches", {"visible_after_seconds": VISIBLE})
    rig.meta.order(match={"step": "message"}, fault={"kind": "slow", "seconds": LATEST}, times=1)
    with rig.settling():
        found = rig.ended(rig.send("hello"), "sent")
    assert rig.texts() == ["hello"]
    assert int(found["attempts"]) == 1


def test_a_delivery_later_than_assumed_is_the_double_that_the_assumption_excludes(rig: Rig) -> None:
    rig.meta.order(match={"step": "message"}, fault={"kind": "slow", "seconds": 4 * W}, times=1)
    with rig.settling():
        rig.ended(rig.send("hello"), "sent")
    rig.until(lambda: rig.texts() == ["hello", "hello"], "both are delivered")


def test_where_looks_are_forbidden_time_decides_and_nobody_asks_again_and_again(rig: Rig) -> None:
    rig.meta.control("PUT", "switches", {"conversations_permission": False})
    silence(rig, delivered=True, times=2)
    with rig.settling():  # a look that is still to come would be waited for, up to ENVOI_SETTLE_LONGEST
        rig.ended(rig.send("hello"), "unknown")
        rig.ended(rig.send("and this"), "unknown")
    assert rig.looks() == 1


def test_an_unknown_that_may_be_sent_again_is_once_its_looks_proved_nothing(rig: Rig) -> None:
    silence(rig, delivered=False)
    with rig.settling():
        job_id = rig.send("hello", on_unknown="resend")
        rig.until(lambda: rig.state(job_id) == "settling", "it settles")
        rig.write("I am a human")
        assert int(rig.ended(job_id, "sent")["attempts"]) == 2
    assert rig.texts() == ["hello"]


def test_a_settler_that_dies_in_the_middle_of_a_look_loses_nothing(rig: Rig) -> None:
    silence(rig, delivered=True)
    job_id = rig.send("hello")
    rig.until(lambda: rig.state(job_id) == "settling", "it settles")
    time.sleep(W)
    assert [look.job_id for look in rig.queue.due_looks(4).looks] == [job_id]  # and no more is heard of it
    assert rig.queue.due_looks(4).looks == []
    with rig.settling():
        rig.ended(job_id, "sent")
    assert rig.texts() == ["hello"]


@pytest.mark.parametrize("delivered", [True, False])
def test_a_call_whose_worker_was_killed_settles_by_a_look(rig: Rig, *, delivered: bool) -> None:
    rig.engine.stop(5)
    job_id = rig.send("hello")
    [held] = rig.queue.trip([Claim(1, "dead")])[0].claimed
    rig.queue.trip([Begin(held, None, [], settle_wait=W)])
    if delivered:
        rig.meta.call(recipient={"id": PERSON}, message={"text": "hello"})
    with rig.settling():
        if delivered:
            rig.ended(job_id, "sent")
        else:
            rig.until(lambda: rig.state(job_id) == "retrying", "it is to be tried again")
    assert rig.texts() == ["hello"] * delivered


def answered_error(rig: Rig, *, delivered: bool, times: int = 1) -> None:
    """The next message call is answered with an error that is mostly true."""
    fault = {"kind": "error", "code": 1200, "delivered": delivered}
    rig.meta.order(match={"step": "message"}, fault=fault, times=times)


@pytest.mark.parametrize("delivered", [True, False])
def test_after_an_answered_error_one_look_comes_before_the_next_call(rig: Rig, *, delivered: bool) -> None:
    answered_error(rig, delivered=delivered)
    found = rig.ended(rig.send("hello"), "sent")
    assert rig.texts() == ["hello"]
    assert rig.looks() == 1
    assert found["message_id"] == thread(rig)[0][0]
    assert int(found["attempts"]) == 2


def test_without_the_right_to_look_the_next_call_follows_an_answered_error(rig: Rig) -> None:
    rig.meta.control("PUT", "switches", {"conversations_permission": False})
    answered_error(rig, delivered=False, times=2)
    assert int(rig.ended(rig.send("hello"), "sent")["attempts"]) == 3
    assert rig.texts() == ["hello"]
    assert rig.looks() == 1


def test_a_page_is_never_looked_into_more_often_than_it_may(rig: Rig) -> None:
    rig.meta.order(match={"step": "message"}, fault={"kind": "hold", "delivered": True}, times=4)
    jobs = [Job(page=PAGE, recipient=str(7001 + n), message="hello") for n in range(4)]
    ids = rig.queue.enqueue(jobs)
    with rig.settling(), rig.settling():
        for job_id in ids:
            rig.ended(job_id, "sent")
    reads = [entry for entry in rig.meta.control("GET", "ledger")["entries"] if entry["step"] == "read"]
    assert len(reads) == 4
    assert all(entry["error_code"] is None for entry in reads)
