"""A page moves from one cell to another while its jobs wait: nothing is lost, sent twice or out of order."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from envoi import EnvoiError, InvalidJob
from envoi.moving import Left, NotReadyError, carry, left
from envoi.queue.keys import conversation_of
from tests.integration.cells.pair import Pair

PAGE = "100000000000001"
PEOPLE = [str(7_000_000_000_000_001 + number) for number in range(3)]


def conversation(person: str = PEOPLE[0]) -> str:
    return conversation_of(PAGE, "id", person)


def ready(pair: Pair) -> None:
    """What ``envoi pages add`` and ``envoi pages pause`` do in the new cell."""
    pair.b.configure(PAGE, token_version=1)
    pair.b.pause(PAGE, "it is moving here")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(
    before=st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=12),
    during=st.lists(st.sampled_from(PEOPLE), max_size=12),
    early=st.integers(0, 6),
    middle=st.integers(0, 6),
    repeated=st.integers(0, 11),
)
def test_moved_while_jobs_wait_nothing_is_lost_doubled_or_out_of_order(
    pair: Pair, *, before: list[str], during: list[str], early: int, middle: int, repeated: int
) -> None:
    pair.a.db.flushdb()
    pair.b.db.flushdb()
    pair.a.open()
    pair.b.open()
    pair.delivered.clear()
    old_map, new_map = pair.cells(placed={PAGE: "a"}), pair.cells(placed={PAGE: "b"}, leaving={PAGE: "a"})
    expected: dict[str, list[str]] = {person: [] for person in PEOPLE}
    for number, person in enumerate(before):
        expected[person].append(old_map.send(PAGE, person, f"{number}", key=f"order-{number}"))
    pair.deliver("a", early)
    ready(pair)
    carry(PAGE, pair.a, pair.b)
    for number, person in enumerate(during):
        expected[person].append(new_map.send(PAGE, person, f"new {number}"))
    again = repeated % len(before)
    assert new_map.send(PAGE, before[again], f"{again}", key=f"order-{again}") in expected[before[again]]
    assert pair.deliver("b") == 0
    pair.deliver("a", middle)
    assert left(PAGE, pair.a).nothing == (len(pair.delivered) == len(before))
    pair.deliver("a")
    assert left(PAGE, pair.a) == Left(0, 0)
    carry(PAGE, pair.a, pair.b, standing=False)
    pair.b.resume(PAGE)
    pair.deliver("b")
    assert {person: pair.jobs(conversation(person)) for person in PEOPLE} == expected


def test_what_is_scheduled_retrying_or_under_way_is_left(pair: Pair) -> None:
    retrying = pair.a.put(PEOPLE[0])
    assert pair.a.done(pair.a.take(), "retry", seconds=60) == "ok"
    assert (pair.a.state(retrying), left(PAGE, pair.a)) == ("retrying", Left(1, 0))
    pair.a.put(PEOPLE[1])
    held = pair.a.take()
    pair.a.put(PEOPLE[2], at_in=3600)
    pair.a.put(PEOPLE[2], page="100000000000002")
    assert left(PAGE, pair.a) == Left(2, 1)
    assert pair.a.sent(held) == "ok"
    assert left(PAGE, pair.a) == Left(1, 1)


def test_a_key_lives_as_long_in_the_new_cell_as_in_the_old(pair: Pair) -> None:
    first = pair.a.put(key="order-1")
    ready(pair)
    carry(PAGE, pair.a, pair.b)
    [name] = pair.b.db.keys("{envoi}:k:*")
    pair.b.db.expire(name, 1000)  # as if much time had gone by
    pair.deliver("a")
    pair.a.db.expire(name, 4000)
    carry(PAGE, pair.a, pair.b, standing=False)
    assert 3000 < pair.b.db.ttl(name) <= 4000
    assert pair.b.put(key="order-1") == first


def test_holds_opt_outs_and_windows_go_with_the_page(pair: Pair) -> None:
    until = (datetime.now(UTC) + timedelta(days=400)).timestamp()
    pair.a.hold(conversation(PEOPLE[0]), until)
    pair.a.opt_out(conversation(PEOPLE[1]))
    pair.a.db.set(pair.a.keys.heard(conversation(PEOPLE[2])), "1000.5", ex=5000)
    pair.a.db.rpush(pair.a.keys.known(conversation(PEOPLE[2])), "m1", "m2")
    pair.a.db.expire(pair.a.keys.known(conversation(PEOPLE[2])), 5000)
    ready(pair)
    assert carry(PAGE, pair.a, pair.b) == 4
    assert [(hold.conversation, hold.until) for hold in pair.b.holds(PAGE)] == [(conversation(PEOPLE[0]), until)]
    assert [name for name, _ in pair.b.opt_outs(PAGE)] == [conversation(PEOPLE[1])]
    assert pair.b.heard_of([conversation(PEOPLE[2])]) == [1000.5]
    assert pair.b.db.lrange(pair.b.keys.known(conversation(PEOPLE[2])), 0, -1) == ["m1", "m2"]
    with pytest.raises(InvalidJob, match="opted out"):
        pair.cells(placed={PAGE: "b"}).send(PAGE, PEOPLE[1], "hello")
    assert carry(PAGE, pair.a, pair.b) == 0


def test_what_the_new_cell_knows_by_itself_it_keeps(pair: Pair) -> None:
    for bench, heard in ((pair.a, "1000"), (pair.b, "2000")):
        bench.db.set(bench.keys.heard(conversation()), heard, ex=5000)
    ready(pair)
    assert carry(PAGE, pair.a, pair.b) == 0
    assert pair.b.heard_of([conversation()]) == [2000.0]


def test_a_page_that_the_new_cell_does_not_know_or_that_sends_there_is_not_carried(pair: Pair) -> None:
    pair.a.put(key="order-1")
    with pytest.raises(NotReadyError, match="add it there first"):
        carry(PAGE, pair.a, pair.b)
    pair.b.configure(PAGE, token_version=1)
    with pytest.raises(NotReadyError, match="not paused in the new cell") as caught:
        carry(PAGE, pair.a, pair.b)
    assert isinstance(caught.value, EnvoiError)
    assert pair.b.db.keys("{envoi}:k:*") == []


def test_webhooks_of_a_page_that_is_leaving_reach_both_cells(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVOI_APP_SECRET", "app-secret")
    now = pair.a.now()
    event = {"sender": {"id": PEOPLE[0]}, "recipient": {"id": PAGE}, "timestamp": int(now * 1000)}
    event["message"] = {"mid": "m1", "text": "hello"}
    body = json.dumps(
        {"object": "page", "entry": [{"id": PAGE, "time": int(now * 1000), "messaging": [event]}]}
    ).encode()
    signature = "sha256=" + hmac.new(b"app-secret", body, hashlib.sha256).hexdigest()
    assert pair.cells(placed={PAGE: "b"}).webhook(body, signature) == 1
    assert pair.a.heard_of([conversation()]) == [None]
    assert pair.cells(placed={PAGE: "b"}, leaving={PAGE: "a"}).webhook(body, signature) == 1
    assert pair.a.heard_of([conversation()]) == pair.b.heard_of([conversation()]) != [None]
