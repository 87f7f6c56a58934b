"""The comparison is the demonstration's judge, so each kind of broken promise must be seen by it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from demo.comparison import Logged, differences
from demo.ledger import Delivery
from demo.producer import Enqueued
from envoi import Job, State

ADA, BOB = "7001", "7002"


def job(number: int, recipient: str) -> Enqueued:
    return Enqueued(Job(page="1", recipient=recipient, message=f"text {number}"), f"job{number}", "name", 0.0)


def delivered(of: Enqueued) -> list[Delivery]:
    message = Delivery(of.recipient, "message", of.job_id, f"mid {of.job_id}", of.text)
    return [Delivery(of.recipient, "typing_on"), message, Delivery(of.recipient, "typing_off")]


JOBS = [job(0, ADA), job(1, ADA), job(2, BOB)]
LOG = {of.job_id: Logged(State.SENT, f"mid {of.job_id}", 1, None) for of in JOBS}
FIRST, SECOND, THIRD = (delivered(of) for of in JOBS)
OFF, ON = Delivery(ADA, "typing_off"), Delivery(ADA, "typing_on")


def test_nothing_differs_when_everything_went_as_promised() -> None:
    mixed = [FIRST[0], THIRD[0], FIRST[1], THIRD[1], FIRST[2], *SECOND, THIRD[2]]  # conversations may mix
    assert differences(JOBS, LOG, mixed) == []


def test_a_retried_job_may_show_its_bubble_twice() -> None:
    log = {**LOG, "job0": replace(LOG["job0"], attempts=2)}
    assert differences(JOBS, log, [ON, OFF, *FIRST, *SECOND, *THIRD]) == []


@pytest.mark.parametrize(
    ("deliveries", "sentence"),
    [
        ([*FIRST, *SECOND], "job2 was delivered 0 times"),
        ([*FIRST, *FIRST, *SECOND, *THIRD], "job0 was delivered 2 times"),
        ([*SECOND, *FIRST, *THIRD], "another order"),
        ([FIRST[0], FIRST[1], SECOND[0], FIRST[2], SECOND[1], SECOND[2], *THIRD], "stands between"),
        ([FIRST[1], FIRST[2], *SECOND, *THIRD], "stands between None and typing_off"),
        ([*FIRST, *SECOND[:2], *THIRD], "stands between typing_on and None"),
        ([ON, OFF, *FIRST, *SECOND, *THIRD], "6 typing actions for 2 messages and 0 retries"),
        ([FIRST[0], replace(FIRST[1], text="x"), FIRST[2], *SECOND, *THIRD], "job0: another text"),
        ([FIRST[0], replace(FIRST[1], message_id="x"), FIRST[2], *SECOND, *THIRD], "job0: the log has message id"),
        ([*FIRST, *SECOND, *THIRD, Delivery("7003", "message", None, "m")], "nobody enqueued"),
    ],
    ids=["lost", "twice", "order", "interleaved", "no on", "no off", "extra", "text", "message id", "foreign"],
)
def test_a_broken_promise_is_named(deliveries: list[Delivery], sentence: str) -> None:
    assert sentence in "\n".join(differences(JOBS, LOG, deliveries))


@pytest.mark.parametrize(
    ("log", "sentence"),
    [
        ({k: v for k, v in LOG.items() if k != "job1"}, "job1 is not in the log"),
        ({**LOG, "job1": replace(LOG["job1"], state=State.UNKNOWN)}, "job1 is unknown in the log"),
        ({**LOG, "job1": replace(LOG["job1"], message_id=None)}, "job1: the log has message id None"),
        ({**LOG, "job9": LOG["job1"]}, "job9 that nobody enqueued"),
    ],
    ids=["no row", "state", "message id", "extra row"],
)
def test_a_log_that_says_something_else_is_named(log: dict[str, Logged], sentence: str) -> None:
    assert sentence in "\n".join(differences(JOBS, log, [*FIRST, *SECOND, *THIRD]))
