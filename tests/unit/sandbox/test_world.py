"""What a call leaves behind: conversations, saved media, the answer's body."""

from __future__ import annotations

import pytest

from sandbox.call import Call
from sandbox.conversations import TYPING_SECONDS
from sandbox.errors import Refused
from sandbox.start import Start
from sandbox.world import Sandbox, World
from tests.unit.sandbox.calls import MESSENGER, action, call

OTHER_DAY = 90 * 86_400.0


def commit(world: World, given: Call) -> dict[str, object]:
    return world.commit(world.ledger.arrive(1, "POST", world.clock.now()), given, MESSENGER)


def image(**payload: object) -> Call:
    return call(message={"attachment": {"type": "image", "payload": payload}})


@pytest.fixture
def world() -> World:
    return World(Start(pages=[(MESSENGER, "T")]))


def test_a_message_answers_recipient_and_message_id_each_its_own(world: World) -> None:
    first, second = commit(world, call()), commit(world, call())
    assert set(first) == {"recipient_id", "message_id"}
    assert first["recipient_id"] == "7001"
    assert str(first["message_id"]).startswith("m_")
    assert len(str(first["message_id"])) == 90
    assert first["message_id"] != second["message_id"]
    assert [entry.message_id for entry in world.ledger.deliveries] == [first["message_id"], second["message_id"]]


@pytest.mark.parametrize("kind", ["user_ref", "phone_number"])
def test_a_recipient_without_an_id_gets_none_back(world: World, kind: str) -> None:
    assert set(commit(world, call(recipient={kind: "x"}))) == {"message_id"}


def test_behind_a_comment_stands_always_the_same_person(world: World) -> None:
    person = commit(world, call(recipient={"comment_id": "c1"}))["recipient_id"]
    assert str(person).isdigit()
    assert commit(World(Start()), call(recipient={"comment_id": "c1"}))["recipient_id"] == person
    assert commit(world, call(recipient={"comment_id": "c2"}))["recipient_id"] != person


def test_an_action_answers_the_recipient_alone(world: World) -> None:
    assert commit(world, action("typing_on")) == {"recipient_id": "7001"}
    assert world.ledger.deliveries[0].message_id is None


def test_the_bubble_shows_for_20_seconds_or_until_a_message_or_typing_off(world: World) -> None:
    def typing() -> bool:
        return world.conversations.all()[0].typing(world.clock.now())

    commit(world, action("typing_on"))
    assert typing()
    world.clock.advance(TYPING_SECONDS)
    assert not typing()
    for ends in (action("typing_off"), call()):
        commit(world, action("typing_on"))
        assert typing()
        commit(world, ends)
        assert not typing()


def test_a_comment_is_replied_to_once(world: World) -> None:
    reply = call(recipient={"comment_id": "c1"})
    commit(world, reply)
    refusal = world.refusal_of(reply, MESSENGER)
    assert refusal is not None
    assert refusal.error.code == 10900
    with pytest.raises(Refused):
        commit(world, reply)
    assert len(world.ledger.deliveries) == 1


def test_reusable_media_has_an_id_that_its_page_can_use_for_90_days(world: World) -> None:
    attachment_id = commit(world, image(url="https://example.com/x", is_reusable=True))["attachment_id"]
    again = image(attachment_id=attachment_id)
    assert str(attachment_id).isdigit()
    assert "attachment_id" not in commit(world, again)
    assert commit(world, image(url="https://example.com/x")).keys() == {"recipient_id", "message_id"}
    world.clock.advance(OTHER_DAY)
    refusal = world.refusal_of(again, MESSENGER)
    assert refusal is not None
    assert (refusal.error.code, refusal.error.subcode) == (100, 2018074)


def test_a_reset_goes_back_to_the_start_and_leaves_late_steps_in_the_old_ledger() -> None:
    sandbox = Sandbox(Start(pages=[(MESSENGER, "T")]))
    old = sandbox.world
    old.pages.remove(MESSENGER.id)
    sandbox.reset()
    assert sandbox.world.pages.owner("T") == MESSENGER
    commit(old, call())
    assert sandbox.world.ledger.deliveries == []
