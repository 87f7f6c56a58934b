"""What a look proves, case by case, and in any thread that Graph may show."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.evidence import SLACK, Absent, Doubt, Evidence, Found, NoProof, Shown, Thread, doubt_of, weigh

PAGE, PERSON = "1", "7"
BEGUN = 1_000_000.4
OLD = BEGUN - 500.0
DOUBT = Doubt(PERSON, "hello", BEGUN, {}, absence_counts=True)


def shown(mid: str, at: float, text: str | None = "hello", author: str | None = PAGE, *, bare: bool = True) -> Shown:
    """A message that was created so many seconds after the call was begun."""
    return Shown(mid, float(int(BEGUN + at)), author, text, bare)


def older(mid: str = "old") -> Shown:
    return Shown(mid, OLD, PAGE, "long ago", bare=True)


def look(*messages: Shown, whole: bool = False, ahead: float = 0.0, doubt: Doubt = DOUBT, **changed: Any) -> Evidence:
    return weigh(replace(doubt, **changed), Thread(messages, whole, ahead))


def no_proof(found: Evidence, *words: str) -> bool:
    return isinstance(found, NoProof) and all(word in found.why for word in words)


def test_the_one_unknown_message_of_the_page_in_the_band_that_matches_is_it() -> None:
    assert look(shown("m", 1), older()) == Found("m")
    assert look(shown("m", 1), whole=True) == Found("m")


def test_it_is_found_while_absence_counts_for_nothing_yet() -> None:
    assert look(shown("m", 1), older(), absence_counts=False) == Found("m")


def test_no_unknown_message_in_a_complete_look_is_absence_once_that_counts() -> None:
    assert look(older()) == Absent()
    assert look(whole=True) == Absent()
    assert no_proof(look(older(), absence_counts=False), "not there yet")


def test_a_look_that_does_not_reach_below_the_band_proves_nothing() -> None:
    full = tuple(shown(f"p{n}", 20 - n, author=PERSON) for n in range(20))
    assert no_proof(look(*full), "below the band")
    assert no_proof(look(*full[:-1], shown("m", 1)), "below the band")


@pytest.mark.parametrize("text", ["hello ", "Hello", "", "hel", None])
def test_a_text_that_differs_at_all_is_neither_it_nor_absence(text: str | None) -> None:
    assert no_proof(look(shown("m", 1, text), older()), "does not match")


def test_what_has_an_attachment_or_no_author_is_not_surely_it_nor_absence() -> None:
    assert no_proof(look(shown("m", 1, bare=False), older()), "does not match")
    assert no_proof(look(shown("m", 1, author=None), older()), "does not match")


def test_a_message_that_is_more_than_a_text_is_never_surely_found() -> None:
    assert no_proof(look(shown("m", 1), older(), text=None), "does not match")
    assert look(older(), text=None) == Absent()


def test_two_unknown_messages_are_no_proof_even_if_one_matches() -> None:
    assert no_proof(look(shown("a", 2, "other"), shown("b", 1), older()), "several")


def test_known_messages_and_the_persons_own_are_not_counted() -> None:
    echo, own = shown("k", 2), shown("p", 3, author=PERSON)
    assert look(own, echo, older(), known={"k": BEGUN + 5}) == Absent()
    assert look(own, echo, shown("m", 1), older(), known={"k": BEGUN + 5}) == Found("m")


def test_of_a_job_whose_outcome_may_be_forgotten_a_known_message_like_it_is_no_absence() -> None:
    after, before, own = {"k": BEGUN + 5}, {"k": BEGUN - 5}, shown("p", 3, author=PERSON)
    assert no_proof(look(own, shown("k", 2), older(), known=after, forgotten=True), "known may be it")
    assert no_proof(look(shown("k", 2, "photo"), older(), known=after, forgotten=True, text=None), "known may be it")
    assert look(own, shown("k", 2, "other"), older(), known=after, forgotten=True) == Absent()
    assert look(own, shown("k", -7), older(), known=before, forgotten=True) == Absent()
    assert look(shown("k", 2), shown("m", 1), older(), known=after, forgotten=True) == Found("m")


def test_the_band_begins_at_the_newest_message_known_before_the_call() -> None:
    before = {"k": BEGUN - 10}
    unknown = shown("agent", -30, "from a human")
    assert look(shown("k", -12), unknown, known=before) == Absent()
    assert no_proof(look(shown("k", -12), unknown, older()), "several")  # were it not known


def test_what_became_known_only_later_does_not_move_the_band() -> None:
    echo = shown("k", 3, "from a human")
    assert look(echo, shown("m", 1), older(), known={"k": BEGUN + 4}) == Found("m")


def test_the_whole_second_in_which_the_band_begins_belongs_to_it() -> None:
    begun = 1_000_000.9
    known, ours = Shown("k", 1_000_000.0, PAGE, "x"), Shown("m", 1_000_000.0, PAGE, "hello")
    doubt = replace(DOUBT, begun=begun, known={"k": begun - 0.1})
    assert weigh(doubt, Thread((ours, known, older()), whole=False)) == Found("m")
    assert no_proof(weigh(doubt, Thread((known,), whole=False)), "below the band")


def test_without_a_known_message_the_band_begins_a_minute_before_the_call_by_graphs_clock() -> None:
    just_in, just_out = shown("a", -SLACK + 1.1, "x"), shown("a", -SLACK - 1.1, "x")
    assert no_proof(look(just_in, older()), "does not match")
    assert look(just_out) == Absent()
    late = shown("m", -200)  # by a clock that is far behind
    assert look(late, older(), ahead=-201.0) == Found("m")
    assert look(shown("a", 150, "x"), ahead=300.0) == Absent()


def test_ids_that_look_unlike_those_known_prove_nothing_either_way() -> None:
    known = {"k1": BEGUN - 5}
    assert no_proof(look(shown("other-form", -6), older(), known=known), "do not show")
    assert no_proof(look(older(), known=known), "do not show")
    assert no_proof(look(whole=True, known={"k1": BEGUN - 5000}), "do not show")
    assert look(shown("k1", -6), older(), known=known) == Absent()


def test_a_known_message_too_old_to_show_is_not_missed() -> None:
    assert look(older(), known={"k1": BEGUN - 5000}) == Absent()


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"text": "a"}, "a"),
        ({"text": "a", "metadata": "m", "quick_replies": []}, "a"),
        ({"text": "a", "attachment": {}}, None),
        ({"attachment": {}}, None),
        ({"sticker_id": "1"}, None),
    ],
)
def test_only_a_message_that_is_a_text_can_be_told_by_its_text(message: dict[str, Any], text: str | None) -> None:
    found = doubt_of({"message": message, "recipient": {"id": PERSON}}, BEGUN, {}, absence_counts=False)
    assert found == Doubt(PERSON, text, BEGUN, {}, absence_counts=False)


# ---- any thread


@st.composite
def histories(draw: st.DrawFn) -> tuple[Doubt, Thread, str | None]:
    """What happened in a thread, by true time, and what a look shows of it.

    Graph's clock differs from ours by up to some hours, of which an answer shows all but less than the slack. Known are
    our earlier messages, learned of after they were written, and some of what others wrote; ours is there or not.
    """
    clock = draw(st.floats(-7200, 7200))
    told = clock + draw(st.floats(-SLACK + 2, SLACK - 2))
    moments = sorted(draw(st.lists(st.floats(-300, 200), max_size=24)))
    ours = draw(st.none() | st.floats(0, 120))
    text = draw(st.sampled_from(["hello", None]))
    rows: list[tuple[float, Shown]] = []
    known: dict[str, float] = {}
    for number, moment in enumerate(moments):
        author = draw(st.sampled_from([PAGE, PERSON]))
        mid = f"x{number}"
        seen = draw(st.sampled_from(["hello", "other"]))
        rows.append((moment, Shown(mid, float(int(BEGUN + moment + clock)), author, seen)))
        if author == PAGE and draw(st.booleans()):
            known[mid] = BEGUN + moment + draw(st.floats(0.01, 400))
    mine = None
    if ours is not None:
        mine = "mine"
        seen = draw(st.sampled_from(["hello", "hello ", "trimmed"]))
        rows.append((ours, Shown(mine, float(int(BEGUN + ours + clock)), PAGE, seen, bare=text is not None)))
    newest_first = [row for _, row in sorted(rows, key=lambda pair: pair[0], reverse=True)]
    shows = Thread(tuple(newest_first[:20]), len(newest_first) < 20, told)
    return Doubt(PERSON, text, BEGUN, known, absence_counts=True), shows, mine


@given(histories())
def test_our_message_is_never_called_absent_while_it_is_in_the_thread(
    history: tuple[Doubt, Thread, str | None],
) -> None:
    doubt, thread, mine = history
    if mine is not None:
        assert weigh(doubt, thread) != Absent()


@given(histories())
def test_a_known_message_is_never_taken_for_ours(history: tuple[Doubt, Thread, str | None]) -> None:
    doubt, thread, _ = history
    found = weigh(doubt, thread)
    assert not isinstance(found, Found) or found.message_id not in doubt.known


@given(histories())
def test_what_is_found_has_our_text_and_is_not_the_persons(history: tuple[Doubt, Thread, str | None]) -> None:
    doubt, thread, _ = history
    found = weigh(doubt, thread)
    if isinstance(found, Found):
        [message] = [message for message in thread.messages if message.id == found.message_id]
        assert message.text == doubt.text == "hello"
        assert message.author == PAGE


@given(histories())
def test_before_absence_counts_nothing_is_ever_absent(history: tuple[Doubt, Thread, str | None]) -> None:
    doubt, thread, _ = history
    assert weigh(replace(doubt, absence_counts=False), thread) != Absent()


@given(histories(), st.sampled_from(["other-form:{}", "{}x"]))
def test_where_ids_are_of_another_form_an_equal_text_of_ours_before_is_never_taken_for_this_one(
    history: tuple[Doubt, Thread, str | None], form: str
) -> None:
    doubt, thread, _ = history
    messages = (replace(message, id=form.format(message.id)) for message in thread.messages)
    found = weigh(doubt, replace(thread, messages=tuple(messages)))
    if any(BEGUN - SLACK <= learned < BEGUN for learned in doubt.known.values()):
        assert isinstance(found, NoProof)
