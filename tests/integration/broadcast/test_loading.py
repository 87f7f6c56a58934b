"""Loading: all of it or nothing, whoever dies or interferes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, select

from envoi import BroadcastConflict, Envoi, InvalidBroadcast, RetiredTag, UnknownBroadcast
from envoi.broadcast import loading
from envoi.broadcast.states import BroadcastState
from envoi.log.errors import UnknownPage
from envoi.log.tables import broadcasts
from tests.integration.broadcast.house import Dead, House, add_page, some
from tests.integration.queue.hands import PAGE


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "BATCH", 10)


def dying(people: list[str]) -> Iterator[str]:
    yield from people
    raise Dead


def state(house: House, broadcast_id: str) -> str:
    return str(house.store.get(broadcast_id).state)


def test_nobody_is_sent_anything_before_all_are_loaded(house: House) -> None:
    with pytest.raises(Dead):
        house.load(dying(some(25)), key="june")
    [one] = house.store.newest()
    assert one.state is BroadcastState.LOADING
    house.feed()
    assert len(house.states(one.id)) == 20
    assert house.waiting() == 0


def test_the_same_key_loads_it_anew_also_where_the_list_has_changed(house: House) -> None:
    with pytest.raises(Dead):
        house.load(dying(some(25)), key="june")
    loaded = house.load(some(15, 11), key="june")
    assert loaded.fresh
    assert list(house.states(loaded.id)) == some(15, 11)
    assert len(house.store.newest()) == 1


def test_a_loader_that_was_overtaken_is_told_and_spoils_nothing(house: House) -> None:
    def slow() -> Iterator[str]:
        yield from some(15)
        house.load(some(12, 101), key="june")
        yield from some(15, 16)

    with pytest.raises(BroadcastConflict, match="another process"):
        house.load(slow(), key="june")
    [one] = house.store.newest()
    assert list(house.states(one.id)) == some(12, 101)
    assert one.state is BroadcastState.RUNNING


def test_one_that_is_cancelled_while_it_is_loaded_sends_nothing(house: House) -> None:
    def cancelled() -> Iterator[str]:
        yield from some(15)
        house.store.cancel(house.store.newest()[0].id)
        yield from some(15, 16)

    with pytest.raises(BroadcastConflict, match="cancelled"):
        house.load(cancelled())
    [one] = house.store.newest()
    house.feed()
    assert state(house, one.id) == "cancelled"
    assert set(house.states(one.id).values()) == {"cancelled"}
    assert house.waiting() == 0


def test_a_wrong_recipient_refuses_all_and_leaves_nothing(house: House) -> None:
    with pytest.raises(InvalidBroadcast) as caught:
        house.load([*some(25), "x", {"id": "1", "user_ref": "u"}, None, *some(250, 1000)])
    assert caught.value.bad == 3
    assert [problem.field for problem in caught.value.problems] == [
        "line 26: recipient.id", "line 27: recipient", "line 28: recipient",
    ]  # fmt: skip  # one a line says less
    assert house.store.newest() == []


def test_only_the_first_hundred_problems_are_told_and_all_are_counted(house: House) -> None:
    with pytest.raises(InvalidBroadcast, match="wrong recipients in all: 150") as caught:
        house.load(["x"] * 150)
    assert len(caught.value.problems) == 100


def test_a_failing_source_leaves_nothing(house: House) -> None:
    def failing() -> Iterator[str]:
        yield from some(25)
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="gone"):
        house.load(failing())
    assert house.store.newest() == []


def test_the_same_key_with_another_message_is_a_conflict_and_without_a_key_there_is_none(house: House) -> None:
    house.load(some(3), key="june")
    with pytest.raises(BroadcastConflict, match="taken"):
        house.load(some(3), "other", key="june")
    house.load(some(3), "other", key="july")
    house.load(some(3))
    house.load(some(3))
    assert len(house.store.newest()) == 4


def test_commands_say_what_they_cannot_do(house: House) -> None:
    loaded = house.load(some(3))
    house.go_on(loaded.id)
    for command in (house.store.pause, house.store.resume, house.store.cancel):
        with pytest.raises(BroadcastConflict, match="is finished"):
            command(loaded.id)
        with pytest.raises(UnknownBroadcast):
            command("01M8BZ633BZ7M4R4FW4TYMBVY2")


def test_every_kind_of_recipient_is_sent_to_and_one_person_counts_once(house: House) -> None:
    people: list[object] = [
        "1", {"id": "1"}, {"user_ref": "u"}, {"phone_number": "+1(212)555-2368"}, {"phone_number": "+12125552368"},
        {"comment_id": "1_2"}, {"notification_messages_token": "t" * 900},
    ]  # fmt: skip  # one a line says less
    loaded = house.load(people)
    assert (loaded.recipients, loaded.duplicates) == (5, 2)
    house.feed()
    wanted = [people[1], people[2], people[3], *people[5:]]
    payloads = sorted((held.job for held in house.queue.claim(10)), key=lambda job: wanted.index(job["recipient"]))
    assert [job["recipient"] for job in payloads] == wanted
    keys = [job["key"] for job in payloads]
    assert keys[0] == f"broadcast:{loaded.id}:1"
    assert keys[3] == "reply:1_2"
    assert all(len(key) <= 255 for key in keys)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_program_makes_one_and_is_told_what_is_wrong(
    house: House, engine: Engine, monkeypatch: pytest.MonkeyPatch, secret_key: str, migrated_url: str
) -> None:
    monkeypatch.setenv("ENVOI_DATABASE_URL", migrated_url)
    envoi = Envoi(client=house.queue.redis, on_outcome="stream:shop")
    broadcast_id = envoi.broadcast(PAGE, some(3), "hello", key="june")
    assert envoi.broadcast(PAGE, some(9), "hello", key="june") == broadcast_id
    with engine.connect() as connection:
        payload = connection.execute(select(broadcasts.c.payload)).scalar_one()
    assert payload["on_outcome"] == "stream:shop"
    with pytest.raises(InvalidBroadcast, match=r"number 2: recipient\.id"):
        envoi.broadcast(PAGE, ["1", "x"], "hello")
    for option, limit in ({"lane": "replies"}, "lane: is bulk"), ({"replay_of": broadcast_id}, "replay_of"):
        with pytest.raises(InvalidBroadcast, match=limit):
            envoi.broadcast(PAGE, some(3), "hello", **option)  # type: ignore[arg-type]  # an option of a job
    for key in ("", "x" * 256, "a\0b", "\ud800", 5):
        with pytest.raises(InvalidBroadcast, match="key: must be a string of 1 to 255 characters"):
            envoi.broadcast(PAGE, some(3), "hello", key=key)  # type: ignore[arg-type]  # what callers get wrong
    with pytest.raises(UnknownPage):
        envoi.broadcast("5", some(3), "hello")
    add_page(engine, secret_key, "6", platform="instagram")
    with pytest.raises(InvalidBroadcast, match="bytes of UTF-8 for Instagram"):
        envoi.broadcast("6", some(3), "x" * 1500)
    with pytest.warns(RetiredTag):
        envoi.broadcast(PAGE, some(3), "hello", messaging_type="MESSAGE_TAG", tag="ACCOUNT_UPDATE")


def test_recipients_are_written_as_they_are_read(house: House) -> None:
    seen: list[int] = []

    def watched() -> Iterator[str]:
        for number in range(200):
            if number == 150:
                seen.append(len(house.states(house.store.newest()[0].id)))
            yield str(number)

    house.load(watched())
    assert seen == [150]
