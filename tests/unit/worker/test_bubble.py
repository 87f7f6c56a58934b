"""The typing bubble."""

from __future__ import annotations

from typing import Any

import pytest

from worker.bubble import AUTO_MOST, TYPING_FRESH, Bubble, pause_of


def job(typing: object, text: str = "hello", **recipient: str) -> dict[str, Any]:
    return {"typing": typing, "recipient": recipient or {"id": "7"}, "message": {"text": text}}


@pytest.mark.parametrize(
    ("typing", "seconds"), [(False, None), (True, 0.0), (3, 3.0), (2.5, 2.5), ("auto", pytest.approx(0.5 + 5 * 0.03))]
)
def test_typing_says_how_long_the_bubble_shows_first(typing: object, seconds: float | None) -> None:
    assert pause_of(job(typing)) == seconds


def test_auto_grows_with_the_text_up_to_a_limit_and_serves_messages_without_text() -> None:
    assert pause_of(job("auto", "x" * 100)) == pytest.approx(3.5)
    assert pause_of(job("auto", "x" * 2000)) == AUTO_MOST
    assert pause_of({"typing": "auto", "recipient": {"id": "7"}, "message": {"attachment": {}}}) == 0.5


@pytest.mark.parametrize("kind", ["user_ref", "comment_id", "post_id", "phone_number"])
def test_typing_goes_only_to_recipients_given_by_id(kind: str) -> None:
    assert pause_of(job(True, **{kind: "x"})) is None


def test_without_typing_nothing_is_due_and_nothing_shows() -> None:
    bubble = Bubble(None, 100.0)
    assert not bubble.due(100.0)
    assert not bubble.shows(100.0)
    assert bubble.rest(100.0) == 0.0


def test_it_is_put_up_once_and_repeated_when_it_gets_old() -> None:
    bubble = Bubble(0.0, None)
    assert bubble.due(100.0)
    bubble.put_up(100.0)
    assert bubble.rest(100.0) == 0.0
    assert not bubble.due(114.9)
    assert bubble.due(115.0)
    assert bubble.shows(119.9)
    assert not bubble.shows(120.0)


def test_what_another_attempt_put_up_counts() -> None:
    assert not Bubble(0.0, 100.0).due(110.0)
    assert Bubble(0.0, 100.0).due(116.0)


def test_a_pause_longer_than_the_bubble_lives_is_taken_in_parts_by_whoever_comes_back() -> None:
    """40 s: typing_on at 0, 15 and 30, the message at 40."""
    now, since, made = 1000.0, None, []
    while True:
        bubble = Bubble(40.0, since)  # a new attempt each time
        if bubble.due(now):
            bubble.put_up(now)
            made.append(now - 1000.0)
        since = bubble.since
        assert bubble.shows(now)
        if not (rest := bubble.rest(now)):
            break
        assert rest <= TYPING_FRESH
        now += rest
    assert made == [0.0, 15.0, 30.0]
    assert now == 1040.0


def test_a_pause_that_is_over_stays_over_when_the_bubble_is_put_up_again() -> None:
    bubble = Bubble(5.0, 100.0)
    assert bubble.due(130.0)
    bubble.put_up(130.0)
    assert bubble.rest(130.0) == 0.0
    again = Bubble(5.0, bubble.since)
    assert not again.due(131.0)
    assert again.rest(131.0) == 0.0


def test_a_bubble_that_did_not_come_up_is_not_waited_for() -> None:
    bubble = Bubble(5.0, None)
    bubble.put_down()
    assert bubble.rest(100.0) == 0.0
    assert not bubble.shows(100.0)


def test_another_workers_clock_ahead_of_ours_does_not_lengthen_the_pause() -> None:
    assert Bubble(5.0, 103.0).rest(100.0) == 5.0
