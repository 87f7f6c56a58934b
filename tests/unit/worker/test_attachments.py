"""Media by address in one attempt, driven by hand."""

from __future__ import annotations

from typing import Any

import pytest

from envoi.events import GraphError
from envoi.queue.begin import No, Stale
from envoi.queue.reuse import FetchedNow, Kept, Reuse
from envoi.settings import Settings
from tests.unit.worker.attempt import START, Play, held
from worker.asks import Call
from worker.attachments import ASK_AGAIN
from worker.steps import Step, is_media
from worker.verdicts import Accepted, Refused, TryLater, Unknown, Verdict

URL = "https://example.com/a.png"
FETCHED = Accepted("m_1", "7", "900")
EXPIRED = Refused(GraphError("gone", 100, 2018074), "message")


def media(kind: str = "image", **payload: Any) -> dict[str, Any]:
    return {"attachment": {"type": kind, "payload": payload or {"url": URL}}}


def sent(play: Play) -> list[dict[str, Any]]:
    """The payloads of the message calls."""
    calls = [ask for ask in play.asks if isinstance(ask, Call) and ask.step is Step.MESSAGE]
    return [call.job["message"]["attachment"]["payload"] for call in calls if call.job]


def words(play: Play) -> list[Reuse]:
    return [ask for ask in play.asks if isinstance(ask, Reuse)]


def test_the_first_call_asks_for_an_attachment_id_and_keeps_it_before_typing_off() -> None:
    play = Play(held(message=media()), {Step.MESSAGE: FETCHED})
    assert play.plot == [
        *("reuse ask", "typing_on", "begin", "message", "keep", "reuse keep", "typing_off", "settle sent"),
    ]
    assert sent(play) == [{"url": URL, "is_reusable": True}]
    assert words(play)[1].attachment_id == "900"
    assert Play(held(message=media(), typing=False), {Step.MESSAGE: FETCHED}).plot == [
        *("reuse ask", "begin", "message", "settle sent", "reuse keep"),
    ]


def test_the_job_itself_is_never_changed() -> None:
    claimed = held(message=media())
    Play(claimed, reuse=Kept("900"))
    assert claimed.job["message"] == media()


def test_a_known_attachment_id_goes_in_place_of_the_address_and_is_media_all_the_same() -> None:
    play = Play(held(message={**media(), "metadata": "mine"}, typing=False), reuse=Kept("900"))
    assert play.plot == ["reuse ask", "begin", "message", "settle sent"]
    assert sent(play) == [{"attachment_id": "900"}]
    (call,) = [ask for ask in play.asks if isinstance(ask, Call)]
    assert call.job is not None
    assert is_media(call.job)
    assert call.job["message"]["metadata"] == "mine"


def test_while_another_job_has_it_fetched_the_job_is_put_back_without_any_call() -> None:
    play = Play(held(message=media(), mark_seen=True), reuse=FetchedNow(20.0))
    assert (play.plot, play.end) == (["reuse ask", "back"], "back: fetching")
    assert play.done("back").seconds == ASK_AGAIN
    assert Play(held(message=media()), reuse=FetchedNow(0.25)).done("back").seconds == 0.25


def test_a_refused_attachment_id_is_forgotten_before_the_attempt_is_given_back() -> None:
    play = Play(held(message=media(), typing=False), {Step.MESSAGE: EXPIRED}, reuse=Kept("900"))
    assert play.plot == ["reuse ask", "begin", "message", "reuse forget", "back"]
    assert words(play)[-1].attachment_id == "900"
    assert play.done("back").seconds == 0
    assert play.done("back").error == EXPIRED.error


def test_a_refused_attachment_id_of_the_callers_own_fails_the_job() -> None:
    own = Play(held(message=media(attachment_id="77"), typing=False), {Step.MESSAGE: EXPIRED})
    assert own.plot == ["begin", "message", "settle failed"]
    fetching = Play(held(message=media(), typing=False), {Step.MESSAGE: EXPIRED})
    assert fetching.plot == ["reuse ask", "begin", "message", "settle failed", "reuse free"]


@pytest.mark.parametrize(
    ("verdict", "ops"),
    [
        (TryLater(GraphError("slow", 100, 2018008), answered=False), ["retry"]),
        (Unknown(GraphError("no answer")), ["unsure"]),
        (Refused(GraphError("no", 100), "message"), ["settle failed"]),
        (Accepted("m_1", "7"), ["settle sent"]),  # no id came with it
    ],
)
def test_whoever_fetched_in_vain_holds_up_nobody(verdict: Verdict, ops: list[str]) -> None:
    play = Play(held(message=media(), typing=False), {Step.MESSAGE: verdict})
    assert play.plot == ["reuse ask", "begin", "message", *ops, "reuse free"]


def test_the_fetch_is_left_to_others_when_begin_says_no_but_kept_for_a_moments_wait() -> None:
    assert Play(held(message=media(), typing=False), begin=No("paused")).plot[-1] == "reuse free"
    assert Play(held(message=media(), typing=False), begin=Stale()).plot[-1] == "reuse free"
    assert Play(held(message=media(), typing=False), begin=No("pace", 1.0)).plot == ["reuse ask", "begin", "back"]
    assert Play(held(message=media(), typing=5)).plot == ["reuse ask", "typing_on", "back"]


@pytest.mark.parametrize(
    "job",
    [
        {"message": {"text": "hello"}},
        {"message": media(url=URL, is_reusable=False)},
        {"message": media(attachment_id="77")},
        {"message": media("template", template_type="generic", elements=[])},
        {"message": {"attachments": [{"type": "image", "payload": {"url": URL}}] * 2}},
        {"message": media(), "platform": "instagram"},
    ],
)
def test_all_other_jobs_are_left_as_they_are(job: dict[str, Any]) -> None:
    play = Play(held(**job, typing=False))
    assert play.plot == ["begin", "message", "settle sent"]
    (call,) = [ask for ask in play.asks if isinstance(ask, Call)]
    assert call.job == play.delivery.held.job


def test_a_setting_switches_it_off() -> None:
    play = Play(held(message=media(), typing=False), rules=Settings(reuse_attachments=False))
    assert play.plot == ["begin", "message", "settle sent"]
    assert sent(play) == [{"url": URL}]


def test_type_and_address_tell_media_apart_and_a_video_may_take_longer() -> None:
    def asked(message: dict[str, Any]) -> Reuse:
        return words(Play(held(message=message, typing=False), start=START))[0]

    same, again = asked(media()), asked({**media(), "metadata": "other"})
    video, other = asked(media("video")), asked(media(url=URL + "?2"))
    assert same.digest == again.digest
    assert len({same.digest, video.digest, other.digest}) == 3
    assert video.fetch_time > same.fetch_time
