"""The pace of a page, its media and its private replies; its call budget. What waits for one holds up no other."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from envoi.action import Action
from envoi.job import Job
from envoi.queue.begin import Go, No
from envoi.queue.claim import Claimed
from envoi.queue.page_commands import HoldPage
from tests.integration.queue.hands import PAGE, Bench

IMAGE = {"attachment": {"type": "image", "payload": {"url": "https://example.com/a.png"}}}
BUTTONS: dict[str, Any] = {
    "attachment": {
        "type": "template",
        "payload": {
            "template_type": "button",
            "text": "?",
            "buttons": [{"type": "web_url", "url": "https://x.y", "title": "z"}],
        },
    }
}
HOUR = 3600.0
NUMBERS = itertools.count(1000)


def most_in(span: float, times: list[float]) -> int:
    """The most of these times that fall into any span [t, t + span)."""
    times = sorted(times)
    # To the microsecond, as the scripts keep them.
    return max((sum(1 for other in times if first <= other < first + span - 2e-6) for first in times), default=0)


class Sender:
    """Claims, begins, and gives back what must wait, as workers do; notes when each message call may start."""

    def __init__(self, queue: Bench) -> None:
        self.queue = queue
        self.begun: list[tuple[float, dict[str, Any]]] = []
        self.claims = 0

    def turn(self, want: int = 5) -> int:
        held = self.queue.claim(want)
        self.claims += len(held)
        for one in held:
            self.begin(one)
        return len(held)

    def begin(self, held: Claimed) -> None:
        before = self.queue.now()
        answer = self.queue.begin(held)
        if isinstance(answer, Go):
            assert answer.slot is not None
            assert answer.slot == pytest.approx(before + answer.wait, abs=1e-4)
            assert answer.wait <= 0.2
            self.begun.append((answer.slot, held.job))
            self.queue.sent(held)
        else:
            assert isinstance(answer, No)
            assert answer.why == "pace"
            self.queue.done(held, "back", seconds=answer.seconds)

    def run(self, seconds: float, step: float = 0.05) -> None:
        for _ in range(round(seconds / step)):
            self.turn()
            self.queue.sleep(step)
            self.queue.tick()

    def times(self, *, media: bool | None = None) -> list[float]:
        return [at for at, job in self.begun if media is None or ("attachment" in job["message"]) is media]


@pytest.fixture
def sender(queue: Bench) -> Sender:
    return Sender(queue)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pace=st.sampled_from([1.0, 3.0, 10.0]),
    media_pace=st.sampled_from([1.0, 2.0, 10.0]),
    acts=st.lists(
        st.one_of(
            st.tuples(st.just("put"), st.integers(1, 8), st.booleans()),
            st.tuples(st.just("turn"), st.integers(1, 12), st.booleans()),
            st.tuples(st.just("sleep"), st.sampled_from([1, 10, 50, 95, 99, 100]), st.booleans()),
        ),
        max_size=40,
    ),
)
def test_no_sliding_second_holds_more_than_the_pace(
    queue: Bench, pace: float, media_pace: float, acts: list[tuple[str, int, bool]]
) -> None:
    queue.db.flushdb()
    queue.open()
    queue.configure(PAGE, pace=pace, media_pace=media_pace)
    sender, person = Sender(queue), 0
    for what, number, flag in acts:
        if what == "put":
            for _ in range(number):
                person += 1
                queue.put(str(person), text=IMAGE if flag else "x", lane="bulk" if person % 2 else "replies")
        elif what == "turn":
            sender.turn(number)
        else:
            queue.sleep(number / 100)
            queue.tick()
    sender.run(2.0)
    assert most_in(1.0, sender.times()) <= pace
    assert most_in(1.0, sender.times(media=True)) <= media_pace


def test_media_keep_to_their_own_pace_and_texts_do_not_wait_for_them(queue: Bench, sender: Sender) -> None:
    queue.configure(PAGE, pace=20.0, media_pace=2.0)
    for person in range(60):
        queue.put(str(person), text=IMAGE, lane="bulk")
    for person in range(100, 140):
        queue.put(str(person), lane="bulk")
    sender.run(3.0)
    assert len(sender.times(media=False)) == 40, "all of them, behind 60 media that wait"
    assert 5 <= len(sender.times(media=True)) <= 7
    assert most_in(1.0, sender.times(media=True)) <= 2


def test_a_page_whose_media_must_wait_is_not_claimed_in_vain(queue: Bench, sender: Sender) -> None:
    queue.configure(PAGE, pace=100.0, media_pace=1.0)
    for person in range(50):
        queue.put(str(person), text=IMAGE)
    sender.run(5.0)
    assert 5 <= len(sender.begun) <= 6
    assert sender.claims <= len(sender.begun) + 1


def test_replies_go_first_among_media_too(queue: Bench, sender: Sender) -> None:
    queue.configure(PAGE, media_pace=1.0)
    for person in range(20):
        queue.put(str(person), text=IMAGE, lane="bulk")
    queue.put("100", text=IMAGE)
    sender.run(1.5)
    assert [job["recipient"]["id"] for _, job in sender.begun] == ["100", "0"]


def test_a_template_counts_as_text(queue: Bench, sender: Sender) -> None:
    queue.configure(PAGE, media_pace=1.0)
    for person in range(20):
        queue.put(str(person), text=BUTTONS)
    sender.run(1.0)
    assert len(sender.begun) == 20


@pytest.mark.parametrize("first", ["text", "media"])
def test_each_job_of_a_line_waits_in_its_own_class(queue: Bench, sender: Sender, first: str) -> None:
    queue.configure(PAGE, media_pace=1.0)
    queue.put("9", text=IMAGE)  # the first slot of media
    for text in ("x", IMAGE, "x") if first == "text" else (IMAGE, "x", IMAGE):
        queue.put("1", text=text)
    sender.run(3.5)
    kinds = ["attachment" in job["message"] for _, job in sender.begun if job["recipient"]["id"] == "1"]
    assert kinds == ([False, True, False] if first == "text" else [True, False, True])
    assert most_in(1.0, sender.times(media=True)) <= 1


def test_a_pause_and_the_cap_hold_all_of_a_pages_queues_and_let_all_go_again(queue: Bench) -> None:
    queue.configure(PAGE, cap=1)
    queue.put("1", text=IMAGE)
    queue.put("2")
    queue.enqueue([Job(page=PAGE, recipient={"comment_id": "3_4"}, message="x")])
    queue.pause(PAGE, "asked")
    assert queue.claim(5) == []
    queue.resume(PAGE)
    people = set()
    for _ in range(3):
        [held] = queue.claim(5)
        people.add(held.conversation)
        queue.sent(held)
    assert len(people) == 3


@pytest.mark.parametrize("noted", [True, False], ids=["this version", "the version before"])
def test_a_page_at_its_cap_goes_on_when_a_call_ends(queue: Bench, noted: bool) -> None:
    queue.configure(PAGE, cap=2)
    for person in range(5):
        queue.put(str(person))
    held = queue.claim(5)
    assert len(held) == 2
    assert queue.claim(5) == [], "the page is taken from the set"
    if not noted:
        queue.redis.hdel(queue.keys.page(PAGE), "full")
    for _ in range(3):
        queue.sent(held.pop())
        [another] = queue.claim(5)
        held.insert(0, another)
        assert queue.claim(5) == []
        if not noted:
            queue.redis.hdel(queue.keys.page(PAGE), "full")


def test_a_cap_made_smaller_holds_and_lets_go_again(queue: Bench) -> None:
    queue.configure(PAGE, cap=5)
    for person in range(8):
        queue.put(str(person))
    held = queue.claim(4)
    queue.configure(PAGE, cap=2)
    assert queue.claim(5) == []
    for one in held[:2]:
        queue.sent(one)
        assert queue.claim(5) == []
    queue.sent(held[2])
    assert len(queue.claim(5)) == 1


def test_private_replies_keep_to_what_an_hour_may_hold(queue: Bench, sender: Sender) -> None:
    queue.settings = queue.settings.model_copy(update={"private_reply_pace": 20.0, "bulk_age": 1e6})
    queue.enqueue([Job(page=PAGE, recipient={"comment_id": f"3_{n}"}, message="x", lane="bulk") for n in range(100)])
    sender.run(1.0)
    assert len(sender.begun) == 4, "a fifth of the hour's at once"
    for person in range(5):
        queue.put(str(person))
    sender.run(1.0)
    assert len(sender.begun) == 9, "others do not wait for them"
    sender.run(2 * HOUR, step=60.0)
    replies = [at for at, job in sender.begun if "comment_id" in job["recipient"]]
    assert 35 <= len(replies) <= 40
    assert most_in(HOUR, replies) <= 20


def test_a_page_on_instagram_has_the_paces_of_instagram(queue: Bench, sender: Sender) -> None:
    queue.settings = queue.settings.model_copy(update={"page_pace": 100.0, "instagram_pace": 2.0})
    queue.settings.__dict__.pop("limits", None)
    queue.introduce(PAGE, 1, pace=None, cap=None, app=None, instagram=True)
    for person in range(20):
        queue.put(str(person))
    sender.run(2.0)
    assert 4 <= len(sender.begun) <= 5
    assert most_in(1.0, sender.times()) <= 2


# ---- late to its slot


def test_who_came_too_late_to_his_slot_gets_another_one_and_only_then(queue: Bench) -> None:
    queue.configure(PAGE, pace=10.0)
    queue.put()
    held = queue.take()
    first = queue.begin(held)
    again = queue.begin(held)
    assert isinstance(first, Go)
    assert isinstance(again, Go)
    assert again.slot == pytest.approx(first.slot, abs=0.05), "its answer was lost"
    queue.sleep(1.0)
    late, later = queue.begin(held, late=True), queue.begin(held, late=True)
    assert isinstance(late, Go)
    assert isinstance(later, Go)
    assert (later.slot or 0.0) - (late.slot or 0.0) == pytest.approx(0.1, abs=1e-5)
    assert queue.sent(held) == "ok"


@pytest.mark.parametrize("what", ["paused", "pace", "expired"])
def test_who_came_too_late_is_asked_anew_whether_he_may(queue: Bench, what: str) -> None:
    job_id = queue.put(expires_in=20)
    held = queue.take()
    queue.begin(held)
    if what == "paused":
        queue.pause(PAGE, "asked")
    elif what == "pace":
        queue.trip([HoldPage(PAGE, 10.0)])
    else:
        queue.sleep(21)
    answer = queue.begin(held, late=True)
    assert isinstance(answer, No)
    assert answer.why == what
    queue.done(held, "back", seconds=answer.seconds)
    assert queue.state(job_id) == "queued"


# ---- what comes back after a restart


def test_after_a_restart_what_may_have_been_begun_is_looked_for_in_every_queue(queue: Bench) -> None:
    queue.put("1", text=IMAGE)
    queue.put("2")
    queue.enqueue([Job(page=PAGE, recipient={"comment_id": "3_4"}, message="x")])
    queue.restart()
    assert queue.look_over() == 3


# ---- the call budget


def lean(queue: Bench, people: int, **options: Any) -> list[bool]:
    """Whether the jobs of so many people are claimed without typing, all at one time."""
    for _ in range(people):
        queue.put(str(next(NUMBERS)), **options)
    held: list[Claimed] = []
    while more := queue.claim(50):
        held += more
        queue.db.hdel(queue.keys.page(PAGE), "free")  # the pace is not what is looked at here
        queue.db.zadd(f"{queue.keys.base}pages:r", {PAGE: 0}, xx=True)
    assert len(held) == people
    return [one.lean for one in held]


@pytest.fixture
def budgeted(queue: Bench) -> Bench:
    """A queue with 40 calls a second: 10 at once."""
    queue.settings = queue.settings.model_copy(update={"page_calls": 40.0, "instagram_calls": 20.0, "page_cap": 1000})
    queue.settings.__dict__.pop("limits", None)
    return queue


def test_where_the_call_budget_is_short_typing_is_left_out_and_messages_go(budgeted: Bench) -> None:
    found = lean(budgeted, 20)
    assert found[:3] == [False] * 3, "three calls each"
    assert set(found[4:]) == {True}
    budgeted.sleep(2.0)
    budgeted.put()
    assert budgeted.take().lean is False


def test_who_wants_no_typing_takes_one_call_of_the_budget(budgeted: Bench) -> None:
    lean(budgeted, 8, typing=False)
    budgeted.put("1")
    assert budgeted.take().lean is True, "two calls are left"


def test_instagram_has_a_budget_of_its_own(budgeted: Bench) -> None:
    budgeted.introduce(PAGE, 1, pace=None, cap=None, app=None, instagram=True)
    assert lean(budgeted, 4)[0] is False
    assert lean(budgeted, 4)[-1] is True


def test_pages_of_an_app_share_its_budget_where_it_has_one(queue: Bench) -> None:
    queue.settings = queue.settings.model_copy(update={"app_calls": 16.0})
    queue.settings.__dict__.pop("limits", None)
    queue.introduce("3", 1, pace=None, cap=None, app="42")
    for page in (PAGE, "2", "3"):
        queue.put("1", page=page)
    found = {held.job["page"]: held.lean for held in queue.claim(5)}
    assert sorted([found[PAGE], found["2"]]) == [False, True], "four calls at once, for all pages of the app"
    assert found["3"] is False, "of another app"


def test_a_bubble_that_shows_already_is_seen_to_its_end(budgeted: Bench) -> None:
    lean(budgeted, 10)
    budgeted.put("1", typing=3.0)
    held = budgeted.take()
    budgeted.done(held, "back", seconds=0.0, typed_at=budgeted.now())
    assert budgeted.take().lean is False


def test_an_action_is_made_in_any_case(budgeted: Bench) -> None:
    lean(budgeted, 10)
    budgeted.enqueue([Action(page=PAGE, recipient="1", action="mark_seen")])
    assert budgeted.take().lean is False


class Typist(Sender):
    """A sender that lets go of a conversation while typing shows, ``PAUSE`` seconds long, as workers do."""

    PAUSE = 3.0

    def __init__(self, queue: Bench) -> None:
        super().__init__(queue)
        self.typed: dict[str, float] = {}

    def begin(self, held: Claimed) -> None:
        person, since = held.job["recipient"]["id"], held.typed_at
        if since is None:
            self.typed[person] = since = self.queue.now()
        rest = since + self.PAUSE - self.queue.now()
        if rest > 0:
            self.queue.done(held, "back", seconds=rest, typed_at=since)
            return
        answer = self.queue.begin(held, typed_at=since)
        if isinstance(answer, Go):
            self.begun.append((self.queue.now() + answer.wait, held.job))
            self.queue.sent(held)
        else:
            assert isinstance(answer, No)
            self.queue.done(held, "back", seconds=answer.seconds, typed_at=since)

    def shown(self) -> list[float]:
        return [at - self.typed[job["recipient"]["id"]] for at, job in self.begun]


@pytest.fixture(params=["text", "media"])
def typist(queue: Bench, request: pytest.FixtureRequest) -> Typist:
    """Of a page that may send ten a second of these."""
    content: dict[str, Any] = {}
    if request.param == "media":
        queue.configure(PAGE, pace=1000.0, media_pace=10.0)
        content["text"] = IMAGE
    else:
        queue.configure(PAGE, pace=10.0)
    for person in range(200):
        queue.put(str(person), lane="bulk", typing=Typist.PAUSE, **content)
    return Typist(queue)


def test_a_pause_for_typing_takes_a_backlogged_page_none_of_its_pace(typist: Typist) -> None:
    typist.run(13.0)
    assert 95 <= len(typist.begun) <= 101, "ten a second, but for the first three"
    assert most_in(1.0, typist.times()) <= 10
    assert len(typist.typed) <= 133, "nobody is typed to before the page can soon have something to say"
    assert max(typist.shown()) < Typist.PAUSE + 1.0, "nobody who was typed to waits behind those who were not"


def test_after_a_stop_those_who_were_typed_to_come_back_at_the_pace(queue: Bench, typist: Typist) -> None:
    typist.run(4.0)
    queue.trip([HoldPage(PAGE, 20.0)])
    sent, before = len(typist.begun), typist.claims
    typist.run(19.0)
    assert (len(typist.begun), typist.claims) == (sent, before), "nothing is claimed meanwhile"
    typist.run(30.0)
    assert len(typist.begun) > 150, "all goes on"
    assert typist.claims - before <= 2.2 * 10 * 30, "once for typing and once for the message, none over and over"
    assert most_in(1.0, typist.times()) <= 10
