"""Calls in the engine's own thread: many at once, in pieces, late; and the news of other threads."""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

import pytest

from tests.integration.worker.by_lines import Attempt, connect, running
from tests.integration.worker.graph_host import JOB, TIME, GraphHost, Peer, accepting, answer_bytes
from tests.waiting import wait_until
from worker.asks import Call
from worker.graph import Outcome
from worker.lines import Lines
from worker.running import News
from worker.steps import Step
from worker.token_doubt import BLIP
from worker.verdicts import Accepted, Throttled, Unknown

SENT = {"recipient_id": "7", "message_id": "m_1"}


def outcomes(lines: Lines, count: int) -> list[Outcome]:
    """What so many calls came to, in the order of ending."""
    found: list[Any] = []

    def all_ended() -> bool:
        found.extend(news[1] for news in lines.take(0.1) if isinstance(news, tuple))
        return len(found) >= count

    wait_until(all_ended, f"the end of {count} calls")
    return found


def test_many_calls_are_on_their_way_at_once() -> None:
    together = threading.Barrier(8, timeout=TIME)

    def all_at_once(peer: Peer) -> None:
        assert peer.request()
        together.wait()  # answered only when all have come
        peer.answer(SENT)

    with GraphHost([all_at_once]) as host:
        made = host.graph(concurrency=8)
        lines = Lines(made, 8)
        connect(made, 8)
        for _ in range(8):
            assert lines.start(running(), Call(Step.MESSAGE))
        assert [type(found.verdict) for found in outcomes(lines, 8)] == [Accepted] * 8


def test_without_a_connection_or_a_token_in_memory_nothing_is_done() -> None:
    with GraphHost() as host:
        made = host.graph()
        lines = Lines(made, 4)
        assert not lines.start(running(), Call(Step.MESSAGE))
        made._tokens.get(JOB["page"], 1)
        assert not lines.start(running(), Call(Step.MESSAGE))
        assert lines.take(0.0) == []
        assert host.connections == 0


def test_a_request_longer_than_the_kernel_takes_at_once_goes_out_in_pieces() -> None:
    text = "x" * 20_000_000
    with GraphHost() as host:
        made = host.graph(read_timeout=TIME)
        lines = Lines(made, 4)
        connect(made)
        for number in range(2):  # the second time on a connection that has been watched for long
            assert lines.start(_Long(text), Call(Step.MESSAGE))  # type: ignore[arg-type]  # as much of it as is needed
            [found] = outcomes(lines, 1)
            assert isinstance(found.verdict, Accepted)
            assert host.received[number].body["message"]["text"] == text
        assert host.connections == 1


def test_what_cannot_be_waited_for_is_said_at_once_and_never_brought() -> None:
    with GraphHost() as host:
        lines = Lines(host.graph(), 4)
        ours, theirs = socket.socketpair()
        number = ours.fileno()
        ours.close()
        theirs.close()
        assert not lines.put_when_readable(number, "news")
        assert not lines.put_when_readable(ours.fileno(), "news")  # -1
        assert lines.take(0.0) == []


class _Long(Attempt):
    def __init__(self, text: str) -> None:
        super().__init__(job={**JOB, "message": {"text": text}})


def test_an_answer_in_pieces_is_one_answer() -> None:
    def piecemeal(peer: Peer) -> None:
        assert peer.request()
        for byte in answer_bytes(SENT):
            peer.send(bytes([byte]))

    with GraphHost([piecemeal]) as host:
        made = host.graph()
        lines = Lines(made, 4)
        connect(made)
        assert lines.start(running(), Call(Step.MESSAGE))
        [found] = outcomes(lines, 1)
        assert found.verdict == Accepted("m_1", "7")


def test_an_answer_that_came_in_time_counts_even_if_it_is_read_late() -> None:
    answered = threading.Event()

    def at_once(peer: Peer) -> None:
        assert peer.request()
        peer.answer(SENT)
        answered.set()

    with GraphHost([at_once]) as host:
        made = host.graph(read_timeout=0.2)
        lines = Lines(made, 4)
        connect(made)
        assert lines.start(running(), Call(Step.MESSAGE))
        assert answered.wait(TIME)
        time.sleep(0.3)  # the engine is held up, by a Redis that stands still
        [found] = outcomes(lines, 1)
        assert found.verdict == Accepted("m_1", "7")


def test_each_call_has_its_own_deadline() -> None:
    go = threading.Event()

    def patient(peer: Peer) -> None:
        received = peer.request()
        assert go.wait(TIME)
        if received and "message" in received.body:
            peer.answer(SENT)

    with GraphHost([patient]) as host:
        made = host.graph(read_timeout=TIME, action_timeout=0.1)
        lines = Lines(made, 4)
        connect(made, 2)
        assert lines.start(running(), Call(Step.MESSAGE))
        assert lines.start(running(), Call(Step.TYPING_ON))
        [late] = outcomes(lines, 1)
        assert late.record
        assert (late.record.step, type(late.verdict)) == ("typing_on", Unknown)
        go.set()
        [found] = outcomes(lines, 1)
        assert found.verdict == Accepted("m_1", "7")


def test_a_connection_that_served_one_call_serves_the_next() -> None:
    with GraphHost() as host:
        made = host.graph()
        lines = Lines(made, 4)
        connect(made)
        for _ in range(5):
            assert lines.start(running(), Call(Step.MESSAGE))
            assert isinstance(outcomes(lines, 1)[0].verdict, Accepted)
        assert made.call(Step.MESSAGE, JOB, 1, lambda: True).record  # a thread may have it in between
        assert lines.start(running(), Call(Step.MESSAGE))
        assert isinstance(outcomes(lines, 1)[0].verdict, Accepted)
        assert host.connections == 1


def test_a_question_about_a_refused_token_holds_up_no_other_call() -> None:
    asked, tell = threading.Event(), threading.Event()

    def refusing(peer: Peer) -> None:
        assert peer.request()
        peer.answer({"error": {"message": "Invalid OAuth access token.", "code": 190}}, 400)

    def debugging(peer: Peer) -> None:
        assert b"/debug_token?" in peer.socket.recv(65536)
        asked.set()
        assert tell.wait(TIME)
        peer.answer({"data": {"is_valid": True}})

    with GraphHost([accepting, refusing, debugging]) as host:  # the one made last is taken first
        made = host.graph(app_id="7", app_secret="sesame")
        lines = Lines(made, 4)
        connect(made, 2)
        assert lines.start(running(), Call(Step.MESSAGE))
        deadline = time.monotonic() + TIME
        while not asked.is_set():
            assert time.monotonic() < deadline, "nobody asked"
            assert lines.take(0.01) == []
        assert lines.busy == 1
        assert lines.start(running(), Call(Step.MESSAGE))
        [other] = outcomes(lines, 1)
        assert isinstance(other.verdict, Accepted)
        tell.set()
        [doubted] = outcomes(lines, 1)
        assert isinstance(doubted.verdict, Throttled)
        assert (doubted.verdict.scope, doubted.verdict.seconds) == ("page", BLIP)
        assert doubted.record
        assert (doubted.record.verdict, doubted.record.error_code) == ("Refused", 190), "as Graph answered"


def test_an_answer_that_says_close_closes() -> None:
    def closing(peer: Peer) -> None:
        assert peer.request()
        peer.send(answer_bytes(SENT, 200, "Connection: close"))

    with GraphHost([closing, accepting]) as host:
        made = host.graph()
        lines = Lines(made, 4)
        connect(made)
        assert lines.start(running(), Call(Step.MESSAGE))
        assert isinstance(outcomes(lines, 1)[0].verdict, Accepted)
        assert not lines.start(running(), Call(Step.MESSAGE))


def test_a_connection_that_closes_while_it_is_idle_troubles_no_call_and_is_not_used() -> None:
    closed = threading.Event()

    def leaving(peer: Peer) -> None:
        assert peer.request()
        peer.answer(SENT)
        peer.socket.shutdown(socket.SHUT_RDWR)
        closed.set()

    with GraphHost([accepting, leaving]) as host:  # the one made last is taken first
        made = host.graph()
        lines = Lines(made, 4)
        connect(made, 2)
        assert lines.start(running(), Call(Step.MESSAGE))
        assert isinstance(outcomes(lines, 1)[0].verdict, Accepted)
        assert closed.wait(TIME)
        assert lines.take(0.01) == []
        assert lines.start(running(), Call(Step.MESSAGE))  # on the other one
        assert isinstance(outcomes(lines, 1)[0].verdict, Accepted)
        assert len(host.received) == 2


def test_what_other_threads_bring_wakes_the_one_that_waits_and_keeps_its_order() -> None:
    with GraphHost() as host:
        lines = Lines(host.graph(), 4)
        found: list[News] = []
        go = threading.Event()

        def bring() -> None:
            assert go.wait(TIME)
            for number in range(1000):
                lines.put(float(number))

        bringer = threading.Thread(target=bring)
        bringer.start()
        go.set()
        while len(found) < 1000:
            news = lines.take(TIME)
            assert news, "it was not woken"
            found += news
        bringer.join()
        assert found == [float(number) for number in range(1000)]


@pytest.mark.parametrize("step", [Step.TYPING_ON, Step.MESSAGE])
def test_without_the_right_nothing_is_written_and_the_connection_stays(step: Step) -> None:
    with GraphHost() as host:
        made = host.graph()
        lines = Lines(made, 4)
        connect(made)
        assert lines.start(running(lambda: False), Call(step))
        [found] = outcomes(lines, 1)
        assert found.record is None
        assert lines.start(running(), Call(Step.MESSAGE))
        outcomes(lines, 1)
        assert len(host.received) == host.connections == 1
