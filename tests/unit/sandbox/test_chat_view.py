"""What a chat shows of a world."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.chat_view import MOST_CHATS, MOST_MESSAGES, ChatView
from sandbox.start import Start
from sandbox.threads import Message
from sandbox.window import STANDARD_SECONDS
from sandbox.world import World
from tests.unit.sandbox.calls import MESSENGER, action, call
from tests.unit.sandbox.test_world import commit

PAGE, PERSON = MESSENGER.id, "7001"


@pytest.fixture
def world() -> World:
    return World(Start(pages=[(MESSENGER, "T")]))


def chat(world: World, person: str = PERSON) -> dict[str, Any]:
    return dict(ChatView(world).chat(PAGE, person))


def write(world: World, text: str) -> Message:
    message = Message(f"m_{text}", world.clock.now(), from_page=False, content={"text": text})
    world.write(MESSENGER, PERSON, message)
    return message


def test_a_chat_that_nothing_happened_in_is_empty(world: World) -> None:
    shown = chat(world)
    assert (shown["messages"], shown["deeds"], shown["window"]["opened_at"]) == ([], [], None)
    assert ChatView(world).chats() == []


def test_both_sides_show_with_the_window_that_the_person_opened(world: World) -> None:
    sent = commit(world, call())["message_id"]
    wrote = write(world, "hi")
    shown = chat(world)
    assert [(one["id"], one["from_page"]) for one in shown["messages"]] == [(sent, True), (wrote.id, False)]
    assert shown["window"]["closes_at"] == wrote.created_at + STANDARD_SECONDS
    assert shown["last"] == {"from_page": False, "content": {"text": "hi"}}


def test_the_page_s_actions_show_as_dots_and_as_seen(world: World) -> None:
    write(world, "hi")
    commit(world, action("mark_seen"))
    commit(world, action("typing_on"))
    shown = chat(world)
    assert shown["seen_at"] >= shown["messages"][0]["at"]
    assert shown["typing_until"] == pytest.approx(world.clock.now() + 20, abs=5)
    commit(world, action("typing_off"))
    assert chat(world)["typing_until"] is None


def test_a_reaction_of_the_page_shows_until_it_is_taken_back(world: World) -> None:
    wrote = write(world, "hi")
    commit(world, call(message=None, sender_action="react", payload={"message_id": wrote.id, "reaction": "love"}))
    assert chat(world)["messages"][0]["reactions"] == {"page": "love"}
    commit(world, call(message=None, sender_action="unreact", payload={"message_id": wrote.id}))
    assert chat(world)["messages"][0]["reactions"] == {}


@pytest.mark.parametrize("kind", ["user_ref", "phone_number"])
def test_whom_no_thread_leads_to_has_a_chat_all_the_same(world: World, kind: str) -> None:
    commit(world, call(recipient={kind: "x:1"}))
    (short,) = ChatView(world).chats()
    assert short["person"] == f"{kind}:x:1"
    assert [one["content"] for one in chat(world, f"{kind}:x:1")["messages"]] == [{"text": "hello"}]
    assert world.threads.of_page(PAGE) == []


def test_no_look_shows_more_than_its_bounds(world: World) -> None:
    for number in range(MOST_MESSAGES + 3):
        write(world, f"{number}")
    for number in range(MOST_CHATS + 3):
        world.threads.open(PAGE, f"8{number}")
    shown = chat(world)
    assert len(shown["messages"]) == MOST_MESSAGES
    assert shown["earlier"] == 3
    assert shown["messages"][-1]["content"] == {"text": f"{MOST_MESSAGES + 2}"}
    chats = ChatView(world).chats()
    assert len(chats) == MOST_CHATS
    assert chats[0]["person"] == PERSON
