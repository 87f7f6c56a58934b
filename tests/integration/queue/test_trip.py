"""Many commands in one run of a script: each comes to what it would by itself."""

from __future__ import annotations

import socket

import pytest
import redis

from envoi.queue.begin import Begin, Go, Stale
from envoi.queue.claim import Catch, Claim
from envoi.queue.done import Done
from envoi.queue.together import Departed
from envoi.states import State
from tests.integration.queue.hands import Bench


def test_claims_begins_and_dones_of_one_trip_take_effect_in_their_order(queue: Bench) -> None:
    first, second = queue.put("1"), queue.put("1")
    held = queue.take()
    answers = queue.trip(
        [
            Begin(held, None, []),
            Done(held, "keep", [], message_id="m1"),
            Done(held, "settle", [], state=State.SENT, message_id="m1"),
            Claim(5, "next"),
            Begin(held, None, []),
        ]
    )
    assert isinstance(answers[0], Go)
    assert answers[1:3] == ["ok", "ok"]
    assert isinstance(answers[3], Catch)
    assert [one.job_id for one in answers[3].claimed] == [second]
    assert answers[4] == Stale()  # the conversation is the next holder's
    assert (queue.state(first), queue.state(second)) == ("sent", "sending")


@pytest.mark.parametrize("defect", ["of data", "of ours"])
def test_one_that_fails_takes_no_other_with_it(queue: Bench, defect: str) -> None:
    first, _, third = (queue.put(person) for person in "123")
    one, other, last = queue.claim(3)
    bad: Begin | Done = Done(other, "settle", [], state=State.SENT, message_id="m")
    if defect == "of data":
        queue.db.set(queue.keys.conversation(other.conversation), "not a hash")
    else:
        bad = Begin(other, None, [], patience="soon")  # type: ignore[arg-type]  # Lua cannot compare it
    good = [Done(held, "settle", [], state=State.SENT, message_id="m") for held in (one, last)]
    with pytest.raises(redis.ResponseError, match="WRONGTYPE" if defect == "of data" else "compare"):
        queue.trip([good[0], bad, good[1]])
    assert (queue.state(first), queue.state(third)) == ("sent", "sent")
    assert queue.db.zrange(f"{queue.keys.base}lease", 0, -1) == [other.conversation]


def test_a_connection_that_redis_has_closed_is_made_anew(redis_client: redis.Redis) -> None:
    Departed(redis_client, [("SET", "a", "1")]).answers()
    redis_client.client_kill_filter(_type="normal", skipme=True)
    assert Departed(redis_client, [("GET", "a"), ("INCR", "a")]).answers() == ["1", 2]


def test_an_answer_that_is_not_waited_for_costs_its_connection_and_no_other(redis_client: redis.Redis) -> None:
    left = Departed(redis_client, [("SET", "a", "1")])
    number = left.fileno()
    assert number is not None
    left.give_up()
    with pytest.raises(OSError, match="descriptor"):
        socket.socket(fileno=number).getpeername()
    assert Departed(redis_client, [("GET", "a")]).answers() in ([None], ["1"])
