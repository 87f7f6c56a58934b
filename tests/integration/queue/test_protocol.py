"""Which versions may work on one Redis, and whose scripts are there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis

from envoi.errors import QueueUnavailable
from envoi.queue import protocol, scripts
from envoi.queue.protocol import KEPT, ScriptSet, WrongVersion
from envoi.queue.scripts import ALL, GATED, script
from tests.integration.queue.hands import Bench


@contextmanager
def version(number: int) -> Iterator[list[str]]:
    """As another version of Envoi would see it; gives the names that Redis knows its scripts by."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (scripts, protocol):
            patch.setattr(module, "PROTOCOL", number)
        script.cache_clear()
        yield [script(name).sha for name in ALL]
    script.cache_clear()


def loaded(queue: Bench, shas: list[str]) -> bool:
    """Whether all are loaded; they may not be there in part."""
    found = set(queue.db.script_exists(*shas))
    assert len(found) == 1
    return bool(found.pop())


def test_the_queue_remembers_the_highest_protocol_that_opened_it(shut: Bench) -> None:
    with version(5):
        shut.open()
        assert shut.db.get(shut.keys.protocol) == "5"
    with version(4):
        shut.open()
    assert shut.db.get(shut.keys.protocol) == "5"


def test_scripts_of_neighbours_stay_and_come_back_after_a_restart(shut: Bench) -> None:
    with version(4) as older:
        shut.open()
    with version(5) as newer:
        shut.open()
    assert loaded(shut, older)
    assert loaded(shut, newer)
    shut.restart()
    with version(5):
        shut.open()
    assert loaded(shut, older)
    assert loaded(shut, newer)
    shut.restart()
    with version(4):
        shut.open()  # whichever comes first
    assert loaded(shut, newer)


def test_a_raised_protocol_takes_the_scripts_of_versions_that_are_too_old(shut: Bench) -> None:
    with version(3) as oldest:
        shut.open()
    with version(4) as older:
        shut.open()
    with version(5):
        shut.open()
    assert loaded(shut, older)
    assert not loaded(shut, oldest)


@pytest.mark.parametrize(("ours", "word"), [(3, "Upgrade this process"), (7, "one after the other")])
def test_a_version_that_is_too_far_away_opens_nothing_and_changes_nothing(shut: Bench, ours: int, word: str) -> None:
    with version(5) as right:
        shut.open()
    before = shut.db.hgetall(shut.keys.script_sets)
    with version(ours) as wrong:
        with pytest.raises(WrongVersion, match=word):
            shut.open()
        with pytest.raises(WrongVersion, match=word):
            shut.check_version()
    assert loaded(shut, right)
    assert not loaded(shut, wrong)
    assert shut.db.get(shut.keys.protocol) == "5"
    assert shut.db.hgetall(shut.keys.script_sets) == before


def test_a_producer_that_is_too_old_enqueues_nothing(shut: Bench) -> None:
    with version(5):
        shut.open()
    with version(4):
        shut.put("1")
    with version(3), pytest.raises(QueueUnavailable, match="at protocol 5, and this version of Envoi knows 3"):
        shut.put("2")
    assert [conversation[-1] for conversation in shut.db.scan_iter(f"{shut.keys.base}l:*")] == ["1"]


def test_a_version_that_raises_the_protocol_while_an_older_one_loads_is_not_undone(
    shut: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with version(3) as oldest:
        beside = protocol.others

        def overtaken(*args: object) -> object:
            shut.db.set(shut.keys.protocol, 5)  # between its asking and its loading
            return beside(*args)  # type: ignore[arg-type]  # passed on

        monkeypatch.setattr("envoi.queue.gate.others", overtaken)
        with pytest.raises(WrongVersion):
            shut.open()
        assert not loaded(shut, oldest)


def test_only_so_many_versions_are_kept(shut: Bench) -> None:
    for number in range(6):
        texts = [f"return {number}"]
        other = ScriptSet(f"set{number}", scripts.PROTOCOL, float(number), texts)
        shut.db.hset(shut.keys.script_sets, other.name, other.dump())
    shut.open()
    kept = shut.db.hgetall(shut.keys.script_sets)
    assert len(kept) == KEPT
    assert {"set5", "set4"} < kept.keys()
    loaded_sets = [ScriptSet.load(name, text) for name, text in kept.items()]
    assert {text for one in loaded_sets for text in one.texts} >= {"return 4", "return 5", script("claim").text}


def test_what_is_kept_of_a_version_is_small(shut: Bench) -> None:
    """Three of them must not weigh against the jobs."""
    shut.open()
    [kept] = shut.db.hvals(shut.keys.script_sets)
    assert len(kept) < 100_000


def test_of_a_version_that_is_gone_nothing_gated_runs(shut: Bench, redis_client: redis.Redis) -> None:
    """It has no shut text of these: what is not loaded does not run."""
    with version(3):
        shut.open()
        held = shut.put("1")
        assert shut.state(held) == "queued"
    with version(4):
        shut.open()
    with version(5):
        shut.open()
    with version(3):
        assert shut.claim(1) == []
        assert not any(redis_client.script_exists(*(script(name).sha for name in GATED)))
