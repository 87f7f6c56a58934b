"""How answers of scripts are read, and errors translated."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import redis

from envoi.errors import EnvoiError, InvalidJob, KeyConflict, QueueFull, QueueUnavailable, Recovering, UnknownJob
from envoi.events import GraphError
from envoi.queue.begin import AlreadySent, Begin, Go, No, Stale
from envoi.queue.claim import Claim, Claimed
from envoi.queue.connection import translated
from envoi.queue.keys import Keys, conversation_of
from envoi.queue.refusal import Refusal


def claimed() -> Claimed:
    text = '1 b - 99.500000 - P/id/1\n{"page":"P","recipient":{"id":"1"},"text":"a\\nb"}'
    refusal = '{"error":{"message":"no","code":551,"subcode":null},"untagged_only":false}'
    row = ["P/id/1", "f:1", "J", 2, "12.5", "", "3", refusal, "11.5", "1", text]
    return Claim(1, "f").parse(["", "99.25", row]).claimed[0]


def test_a_claimed_row_is_read_field_by_field() -> None:
    held = claimed()
    assert (held.conversation, held.fence, held.job_id, held.attempt) == ("P/id/1", "f:1", "J", 2)
    assert (held.expires, held.attempts_allowed, held.lane) == (99.5, None, "bulk")
    assert (held.typed_at, held.message_id, held.token_version) == (12.5, None, 3)
    assert held.job == {"page": "P", "recipient": {"id": "1"}, "text": "a\nb"}
    assert held.refusal == Refusal(GraphError("no", 551))
    assert (held.look_from, held.claimed_at, held.lean) == (11.5, 99.25, True)


def test_a_catch_says_when_to_come_back_or_that_nothing_waits() -> None:
    assert Claim(1, "f").parse(["", "99.25"]).next_in is None
    assert Claim(1, "f").parse(["0.250000", "99.25"]).next_in == 0.25


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        (["go", "0.100000"], Go(0.1)),
        (["sent", "m"], AlreadySent("m")),
        (["no", "paused"], No("paused")),
        (["no", "gate"], No("gate")),
        (["no", "window"], No("window")),
        (["no", "pace", "3.5"], No("pace", 3.5)),
        (["stale"], Stale()),
    ],
)
def test_each_answer_of_begin_is_its_own_type(reply: list[str], answer: object) -> None:
    assert Begin(claimed(), None, []).parse(reply) == answer


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        ("RECOVERING no scheduler", Recovering, "same key"),
        ("QUEUEFULL the log", QueueFull, "nothing was enqueued"),
        ("KEYCONFLICT 2 JOB", KeyConflict, "JOB.*number 3"),
        ("UNKNOWNJOB no job X", UnknownJob, "no job X"),
        (
            "WINDOWCLOSED 1 604800 1700000000.000000",
            InvalidJob,
            "recipient: .*2023-11-14 22:13:20 UTC.*168 h.*number 2",
        ),
        ("OOM command not allowed", QueueFull, "memory"),
        ("MISCONF cannot persist", QueueUnavailable, "MISCONF"),
    ],
)
def test_each_error_word_of_a_script_has_its_own_error(text: str, kind: type[EnvoiError], says: str) -> None:
    with pytest.raises(kind, match=says), translated():
        raise redis.ResponseError(text)


@pytest.mark.parametrize("make", [redis.ConnectionError, redis.TimeoutError, redis.exceptions.BusyLoadingError])
def test_a_redis_that_does_not_answer_is_unavailable(make: Callable[[str], Exception]) -> None:
    with pytest.raises(QueueUnavailable), translated():
        raise make("x")


def test_an_error_that_is_not_ours_stays_what_it_is() -> None:
    with pytest.raises(redis.ResponseError, match="ERR"), translated():
        raise redis.ResponseError("ERR done: unknown op")


def test_a_conversation_is_named_by_harmless_characters_only_and_each_recipient_by_its_own() -> None:
    odd = ["a/b", "a b", "a%2Fb", "ü", "a\nb", "{x}", "a:b"]
    names = [conversation_of("P", "user_ref", one) for one in odd]
    assert len(set(names)) == len(odd)
    for name in names:
        assert name.isascii()
        assert not set(name) & set(" \n{}:")
        assert name.count("/") == 2


def test_every_key_begins_with_one_tag_so_that_a_cluster_keeps_them_together() -> None:
    keys = Keys("two")
    names = [
        keys.events,
        keys.epoch,
        keys.bells,
        keys.template,
        keys.workers,
        keys.doubted,
        keys.back("r"),
        keys.job("J"),
    ]
    assert all(name.startswith("{two}:") for name in names)
