"""Reading Graph's ``fields`` parameter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.errors import Refused
from sandbox.graph_fields import Field, read_fields


def test_fields_have_arguments_and_fields_of_their_own() -> None:
    assert read_fields("id, messages.limit(10).after(x=){id,from{id}},to", "id") == (
        Field("id"),
        Field("messages", {"limit": "10", "after": "x="}, (Field("id"), Field("from", {}, (Field("id"),)))),
        Field("to"),
    )


@pytest.mark.parametrize("missing", [None, ""])
def test_without_fields_the_usual_ones_are_meant(missing: object) -> None:
    assert read_fields(missing, "id,to") == (Field("id"), Field("to"))


@pytest.mark.parametrize(
    "text", [",", "id,", "id}", "a{", "a{}", "a{b", "a.limit(", "a b", "A", 5, "a{" * 7 + "a" + "}" * 7]
)
def test_what_cannot_be_read_is_refused_with_2500(text: object) -> None:
    with pytest.raises(Refused) as caught:
        read_fields(text, "id")
    assert caught.value.error.code == 2500


@given(st.text(alphabet="ab.,{}() \u00e9\x00", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        fields = read_fields(text, "id")
    except Refused as refused:
        code: int | None = refused.error.code
    else:
        assert fields
        code = None
    assert code in (2500, None)
