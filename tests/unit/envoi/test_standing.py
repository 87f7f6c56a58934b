"""Names of conversations, taken apart again; and what is told of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envoi.notices import load
from envoi.queue.keys import conversation_of
from envoi.sendapi.recipient import KINDS
from envoi.standing import Hold, OptOut, Whose


@given(st.sampled_from(KINDS), st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_a_name_is_taken_apart_into_what_it_was_made_of(kind: str, key: str) -> None:
    assert Whose.of(conversation_of("page.1", kind, key)) == ("page.1", kind, key)


def test_what_is_no_name_is_refused() -> None:
    with pytest.raises(ValueError, match="values to unpack"):
        Whose.of("page/id")


def test_what_the_scripts_write_is_read() -> None:
    assert load('["hold",{"conversation":"1\\/id\\/7","since":5.250000,"until":9.5}]') == Hold("1/id/7", 5.25, 9.5)
    assert load('["hold",{"conversation":"1\\/id\\/7"}]') == Hold("1/id/7")
    assert load('["optout",{"conversation":"1\\/id\\/7","since":5.250000}]') == OptOut("1/id/7", 5.25)
