"""What is read from addresses and forms: anything may be in them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envoi.console.ask import BadForm, Form, local_path, read_pairs
from envoi.console.jobs import before, filter_of, place_of
from envoi.console.said import kind_of, words_of
from envoi.console.showing import conversation_path
from envoi.ids import new_job_id
from envoi.log.browsing import Filter, Place
from envoi.states import State

_TEXTS = st.text(max_size=40)
_STORABLE = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)


@pytest.mark.parametrize(
    "foreign",
    ["", "https://example.com", "//example.com/x", "/\\example.com", "\\\\x", "/a\nb", "javascript:x", "/\t/x"],
)
def test_a_way_back_leads_nowhere_else(foreign: str) -> None:
    assert local_path(foreign) == "/"


def test_a_way_back_keeps_its_query() -> None:
    assert local_path("/jobs?state=failed&page=1") == "/jobs?state=failed&page=1"


@given(state=_TEXTS | st.sampled_from(list(State)), page=_TEXTS, code=_TEXTS | st.integers().map(str))
def test_a_filter_is_read_or_refused(state: str, page: str, code: str) -> None:
    try:
        found = filter_of(Form((("state", state), ("page", page), ("code", code))))
    except BadForm:
        return
    assert found.dead or found == Filter(found.state)
    assert found.code is None or abs(found.code) < 1 << 63


@given(_TEXTS)
def test_a_place_is_read_or_refused(text: str) -> None:
    try:
        found = place_of(Form((("before", text),)))
    except BadForm:
        return
    assert found is None or found.enqueued_at.tzinfo is not None


def test_a_place_comes_back_as_it_was() -> None:
    place = Place(datetime.now(UTC), new_job_id())
    assert place_of(Form((("before", before(place.enqueued_at, place.id)),))) == place


def test_a_form_has_a_bounded_number_of_fields() -> None:
    assert read_pairs("job=1&job=2&x=").all("job") == ["1", "2"]
    with pytest.raises(BadForm, match="NUL"):
        read_pairs("page=%00")
    with pytest.raises(BadForm, match="1000 fields"):
        read_pairs("&".join(["job=1"] * 1001))


@given(_STORABLE, _STORABLE)
def test_a_conversations_path_says_whose_it_is(page: str, recipient: str) -> None:
    path, _, query = conversation_path(page, "user_ref", recipient).partition("?")
    fields = read_pairs(query)
    assert path == "/conversation"
    assert (fields.get("page"), fields.get("recipient")) == (page, recipient)


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        (None, "not kept any more"),
        ({"recipient": {"id": "1"}}, "discarded"),
        ({"sender_action": "typing_on"}, "action typing_on"),
        ({"message": {"text": "secret"}}, "text of 6 characters"),
        ({"message": {"text": "secret", "quick_replies": [{}, {}]}}, "text of 6 characters, 2 quick replies"),
        ({"message": {"attachment": {"type": "image", "payload": {"url": "secret"}}}}, "image"),
        ({"message": {"attachment": {"type": "template", "payload": {"template_type": "button"}}}}, "template button"),
        ({"message": {"attachments": [{}]}}, "images"),
    ],
)
def test_the_kind_of_a_message_holds_no_word_of_it(payload: dict[str, object] | None, kind: str) -> None:
    assert kind_of(payload) == kind
    assert "secret" not in kind_of(payload)


def test_the_words_are_the_text_or_the_whole_object() -> None:
    assert words_of({"message": {"text": "hello"}}) == "hello"
    assert (
        words_of({"message": {"text": "hello", "quick_replies": []}})
        == '{\n  "text": "hello",\n  "quick_replies": []\n}'
    )
    assert words_of({"sender_action": "typing_on"}) is None
    assert words_of(None) is None
