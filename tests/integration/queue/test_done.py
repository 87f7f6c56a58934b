"""What a holder says of its attempt: every op at every place, said twice, said late, and what it costs the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import redis

from envoi.events import GraphError
from envoi.queue.begin import Go, Stale
from envoi.queue.claim import Claimed
from envoi.queue.done import Done
from envoi.states import State
from tests.integration.queue.hands import Bench, call


def _held(queue: Bench) -> Claimed:
    return queue.take()


def _marked(queue: Bench) -> Claimed:
    held = queue.take()
    assert isinstance(queue.begin(held), Go)
    return held


def _lease_out(queue: Bench) -> None:
    queue.sleep(queue.settings.lease + 1)
    assert queue.tick().lost == 1


def _waiting(queue: Bench) -> Claimed:
    held = queue.take()
    _lease_out(queue)
    return held


def _others(queue: Bench) -> Claimed:
    held = _waiting(queue)
    queue.take()
    return held


def _settling(queue: Bench) -> Claimed:
    held = _marked(queue)
    _lease_out(queue)
    return held


def _others_settling(queue: Bench) -> Claimed:
    held = _waiting(queue)
    _settling(queue)
    return held


def _retrying(queue: Bench) -> Claimed:
    held = _marked(queue)
    assert queue.done(held, "retry", seconds=60) == "ok"
    return held


def _sent(queue: Bench) -> Claimed:
    held = _marked(queue)
    assert queue.sent(held) == "ok"
    return held


PLACES: dict[str, Callable[[Bench], Claimed]] = {
    "held": _held,
    "marked": _marked,
    "waiting again": _waiting,
    "another's": _others,
    "settling": _settling,
    "another's, settling": _others_settling,
    "retrying": _retrying,
    "sent": _sent,
}
SAYS: dict[str, tuple[Any, dict[str, Any]]] = {
    "keep sent": ("keep", {"message_id": "m"}),
    "keep": ("keep", {}),
    "sent": ("settle", {"message_id": "m"}),
    "failed": ("settle", {"state": State.FAILED, "error": GraphError("no", 100)}),
    "retry": ("retry", {"seconds": 60}),
    "unsure": ("unsure", {"seconds": 60, "error": GraphError("?")}),
    "back": ("back", {}),
}
OWN = {
    "keep sent": ("ok", "sending", "h"),
    "keep": ("ok", "sending", "h"),
    "sent": ("ok", "sent", None),
    "failed": ("ok", "failed", None),
    "retry": ("ok", "retrying", "d"),
    "unsure": ("ok", "settling", "s"),
    "back": ("ok", "queued", "w"),
}
FACT = {"keep sent": ("settled", "sent", None), "sent": ("settled", "sent", None)}
ALREADY: dict[str, tuple[str, str, str | None]] = dict.fromkeys(SAYS, ("ok", "sent", None))
# What is answered, the job's state after it and the conversation's place: for each place and each thing said.
TABLE: dict[str, dict[str, tuple[str, str, str | None]]] = {
    "held": OWN,
    "marked": OWN,
    "waiting again": {**dict.fromkeys(SAYS, ("stale", "queued", "w")), **FACT},
    "another's": {
        **dict.fromkeys(SAYS, ("stale", "sending", "h")),
        **dict.fromkeys(FACT, ("held", "sending", "h")),
    },
    "settling": {
        "keep": ("ok", "retrying", "d"),
        "failed": ("ok", "failed", None),
        "retry": ("ok", "retrying", "d"),
        "unsure": ("stale", "settling", "s"),
        "back": ("ok", "queued", "w"),
        **FACT,
    },
    "another's, settling": {**dict.fromkeys(SAYS, ("stale", "settling", "s")), **FACT},
    "retrying": {**dict.fromkeys(SAYS, ("ok", "retrying", "d")), **FACT},
    "sent": ALREADY,
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("said", SAYS)
def test_what_is_said_at_each_place_comes_to_what_the_table_says_and_twice_to_the_same(
    queue: Bench, place: str, said: str
) -> None:
    job_id = queue.put()
    held = PLACES[place](queue)
    op, options = SAYS[said]
    answer, state, where = TABLE[place][said]
    assert queue.done(held, op, **options) == answer
    for _ in range(2):
        assert (queue.state(job_id), queue.place()) == (state, where)
        assert queue.busy() == queue.held_pages().total() == (1 if where == "h" else 0)
        queue.done(held, op, **options)
    due = queue.db.zcard(f"{queue.keys.base}due")
    assert due == (1 if where in {"d", "s"} else 0)


@pytest.mark.parametrize("said", SAYS)
def test_what_is_said_twice_is_logged_once(queue: Bench, said: str) -> None:
    job_id = queue.put()
    held = _marked(queue)
    op, options = SAYS[said]
    for _ in range(3):
        queue.done(held, op, calls=[call()], **options)
    if op == "keep":  # it is logged with what ends the attempt
        assert [event for event in queue.events(job_id) if event.calls] == []
        queue.done(held, "settle", calls=[call()], message_id="m", state=State.SENT)
    assert len([event for event in queue.events(job_id) if event.calls]) == 1


@pytest.mark.parametrize("kept", ["", "m"])
def test_calls_of_a_lost_worker_are_logged_when_its_lease_runs_out(queue: Bench, kept: str) -> None:
    job_id, calls = queue.put(), [call("typing_on"), call("message")]
    held = queue.take()
    queue.begin(held, calls=calls[:1])
    queue.done(held, "keep", calls=calls, message_id=kept)
    accepted = queue.now()
    queue.sleep(queue.settings.lease + 1)
    queue.tick()
    told = [(event.attempt, event.calls) for event in queue.events(job_id) if event.calls]
    assert told == [(1, tuple(calls))]
    [sent] = [event for event in queue.events(job_id) if event.state is State.SENT] if kept else [None]
    assert sent is None or sent.accepted_at == pytest.approx(accepted)
    if not kept:
        again = queue.take()
        queue.done(again, "settle", calls=[call("message")], message_id="m", state=State.SENT)
        assert [event.attempt for event in queue.events(job_id) if event.calls] == [1, 2]


def test_when_a_message_was_accepted_is_logged_though_it_settles_later(queue: Bench) -> None:
    job_id = queue.put()
    held = _marked(queue)
    queue.done(held, "keep", message_id="m")
    accepted = queue.now()
    queue.sleep(3)
    queue.sent(held)
    [sent] = [event for event in queue.events(job_id) if event.state is State.SENT]
    assert (sent.accepted_at, sent.at) == pytest.approx((accepted, accepted + 3))


def test_a_done_repeated_after_its_line_moved_on_does_not_touch_the_next_head(queue: Bench) -> None:
    queue.put()
    second = queue.put()
    first = _marked(queue)
    queue.sent(first, "m1")
    held = _marked(queue)
    assert held.job_id == second
    for op in ("keep", "retry", "back", "unsure"):
        queue.done(first, op, seconds=1)
    queue.sent(first, "m1")
    assert isinstance(queue.begin(held), Go)
    assert queue.busy() == 1
    assert queue.state(second) == "sending"
    assert "message_id" not in queue.status(second) or queue.status(second)["message_id"] is None


def test_an_accepted_message_stays_sent_whatever_is_said_of_it_later(queue: Bench) -> None:
    job_id = queue.put()
    held = _marked(queue)
    queue.done(held, "keep", message_id="m")
    queue.done(held, "settle", state=State.FAILED)
    assert queue.status(job_id)["message_id"] == "m"
    assert queue.state(job_id) == "sent"


def test_sent_without_any_message_id_is_an_error_and_changes_nothing(queue: Bench) -> None:
    job_id = queue.put()
    held = _marked(queue)
    with pytest.raises(redis.ResponseError, match="without a message id"):
        queue.trip([Done(held, "settle", [], state=State.SENT)])
    assert queue.state(job_id) == "sending"
    assert queue.sent(held) == "ok"


def test_an_unmarked_answer_is_kept_so_that_a_worker_lost_after_it_leaves_no_doubt(queue: Bench) -> None:
    job_id = queue.put()
    held = _marked(queue)
    queue.done(held, "keep")
    _lease_out(queue)
    assert queue.state(job_id) == "queued"


def test_a_message_id_kept_by_a_worker_that_was_lost_settles_the_job(queue: Bench) -> None:
    job_id = queue.put()
    held = _marked(queue)
    queue.done(held, "keep", message_id="m", recipient_id="r")
    _lease_out(queue)
    assert queue.status(job_id)["state"] == "sent"
    assert queue.status(job_id)["recipient_id"] == "r"


def test_an_attempt_given_back_is_counted_again_and_one_that_lost_its_worker_is_not(queue: Bench) -> None:
    queue.put()
    held = queue.take()
    for _ in range(3):
        queue.done(held, "back")
        held = queue.take()
        assert held.attempt == 1
    _lease_out(queue)
    assert queue.take().attempt == 2


def test_every_attempt_that_loses_its_worker_counts_and_the_last_one_fails_the_job(queue: Bench) -> None:
    job_id = queue.put(max_attempts=2)
    for _ in range(2):
        queue.take()
        _lease_out(queue)
    assert queue.state(job_id) == "failed"
    assert queue.busy() == 0


def test_a_turn_given_back_goes_to_the_front(queue: Bench) -> None:
    first = queue.put("1")
    queue.put("2")
    queue.done(queue.take(), "back")
    assert queue.take().job_id == first


def test_begin_asked_twice_answers_go_and_charges_the_page_once(queue: Bench) -> None:
    queue.configure("100000000000001", pace=1.0)
    job_id = queue.put()
    held = queue.take()
    answers = [queue.begin(held, calls=[call("typing_on")]) for _ in range(3)]
    assert all(isinstance(answer, Go) and answer.wait <= 0.2 for answer in answers)
    slot = float(queue.db.hget(queue.keys.page("100000000000001"), "slot"))
    assert slot - queue.now() <= 1.0
    assert [event for event in queue.events(job_id) if event.calls] == []  # the end of the attempt tells them


def test_begin_of_a_stale_holder_starts_nothing_but_its_calls_are_logged(queue: Bench) -> None:
    job_id = queue.put()
    held = _waiting(queue)
    assert queue.begin(held, calls=[call("typing_on")]) == Stale()
    assert [event.calls[0].step for event in queue.events(job_id) if event.calls] == ["typing_on"]
    assert queue.place() == "w"


def test_begin_renews_the_lease(queue: Bench) -> None:
    queue.put()
    held = queue.take()
    queue.sleep(queue.settings.lease - 1)
    queue.begin(held)
    queue.sleep(queue.settings.lease - 1)
    assert queue.tick().lost == 0


def test_renewal_keeps_only_what_is_still_held(queue: Bench) -> None:
    queue.put("1")
    queue.put("2")
    one, two = queue.claim(2)
    queue.sent(one)
    assert queue.renew("w", [(one.conversation, one.fence), (two.conversation, two.fence)]) == 1
    queue.sleep(queue.settings.lease - 1)
    queue.renew("w", [(two.conversation, two.fence)])
    queue.sleep(queue.settings.lease - 1)
    assert queue.tick().lost == 0


def test_an_unsure_call_settles_as_unknown_after_its_wait_and_only_then_does_its_line_move_on(queue: Bench) -> None:
    first, second = queue.put(), queue.put()
    queue.done(_marked(queue), "unsure", seconds=150, error=GraphError("read time-out"))
    queue.sleep(149)
    queue.tick()
    assert queue.claim(5) == []
    queue.sleep(2)
    queue.tick()
    assert queue.status(first)["state"] == "unknown"
    assert "read time-out" in queue.status(first)["error"]
    assert queue.take().job_id == second


def test_a_worker_lost_after_typing_off_leaves_no_word_that_typing_shows(queue: Bench) -> None:
    queue.put()
    held = queue.take()
    assert isinstance(queue.begin(held, typed_at=queue.now()), Go)
    assert queue.done(held, "keep", answered=True) == "ok"
    queue.sleep(queue.settings.lease + 1)
    queue.tick()
    queue.sleep(60)
    queue.tick()
    again = queue.take()
    assert (again.attempt, again.typed_at) == (2, None)
