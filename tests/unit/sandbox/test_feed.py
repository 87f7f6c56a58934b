"""What spectators are told: the present state of what changed, whatever and however much it was."""

from __future__ import annotations

import asyncio

from sandbox.feed import MOST_CHANGES, MOST_SPECTATORS, Changes, Feed, Spectator
from sandbox.ledger import Entry


def entry(number: int) -> Entry:
    return Entry(number, 1, "POST", 0.0)


def watching(feed: Feed) -> Spectator:
    """One that has seen everything there was."""
    spectator = feed.join()
    assert spectator is not None
    assert spectator.take() == Changes(whole=True)
    return spectator


def test_a_new_spectator_is_shown_everything() -> None:
    spectator = Feed().join()
    assert spectator is not None
    assert asyncio.run(spectator.stirred(0))
    assert spectator.take().whole


def test_of_many_changes_of_one_thing_a_spectator_is_told_once() -> None:
    feed = Feed()
    spectator = watching(feed)
    call = entry(7)
    for _ in range(5):
        feed.call(call)
        feed.chat("1001", "7001")
    assert spectator.take() == Changes(calls={7: call}, chats={("1001", "7001"): None})
    assert spectator.take() == Changes()


def test_each_spectator_is_told_for_itself() -> None:
    feed = Feed()
    quick, slow = watching(feed), watching(feed)
    feed.chat("1001", "7001")
    quick.take()
    feed.chat("1001", "7002")
    assert list(quick.take().chats) == [("1001", "7002")]
    assert list(slow.take().chats) == [("1001", "7001"), ("1001", "7002")]


def test_too_many_changes_are_a_change_of_everything_and_are_not_kept() -> None:
    feed = Feed()
    spectator = watching(feed)
    for number in range(1, MOST_CHANGES + 100):
        feed.call(entry(number))
    feed.settings()
    assert spectator.take() == Changes(whole=True, settings=True)


def test_a_call_that_met_a_rule_changes_what_the_rules_say() -> None:
    feed = Feed()
    spectator = watching(feed)
    hit = entry(1)
    hit.rule = 3
    feed.call(hit)
    assert spectator.take().settings


def test_no_more_than_so_many_watch_and_one_who_leaves_makes_room() -> None:
    feed = Feed()
    all_of_them = [feed.join() for _ in range(MOST_SPECTATORS)]
    assert None not in all_of_them
    assert feed.join() is None
    first = all_of_them[0]
    assert first is not None
    feed.leave(first)
    assert feed.join() is not None


def test_nobody_waits_for_what_does_not_come_and_the_end_stirs_everybody() -> None:
    async def played() -> None:
        feed = Feed()
        spectator = watching(feed)
        assert not await spectator.stirred(0)
        waiting = asyncio.create_task(spectator.stirred(60))
        await asyncio.sleep(0)
        feed.close()
        assert await waiting
        assert feed.closed

    asyncio.run(played())
