"""What operators do in the console, in a real queue and log."""

from __future__ import annotations

import pytest

from envoi.client import Envoi
from envoi.console.house import House
from envoi.log import queries
from envoi.states import State
from tests.integration.console.conftest import User
from tests.integration.console.rows import PAGE, PERSON, Rows


@pytest.fixture
def client(house: House) -> Envoi:
    return house.client


def test_a_failed_job_is_replayed_once_however_often_the_form_is_sent(user: User, client: Envoi, rows: Rows) -> None:
    job_id = rows.job()
    told = [
        user.told(user.post("/jobs/act", act="replay", state="failed", job=job_id, back="/jobs?state=failed"))
        for _ in range(2)
    ]
    assert "1 enqueued" in told[0]
    assert client.conversation(PAGE, PERSON).waiting == 1
    new = told[0].split()[-1]
    assert client.status(new).state is State.QUEUED
    assert "already" in told[1] or "replayed before" in told[1]


def test_many_jobs_are_replayed_at_once_and_refusals_are_told(user: User, client: Envoi, rows: Rows) -> None:
    ids = [rows.job(recipient=f"70000{number}") for number in range(3)] + [rows.job("sent"), rows.job(payload=None)]
    fields = [("job", job_id) for job_id in ids]
    told = user.told(user.post("/jobs/act", fields, act="replay", state="failed"))
    assert "3 enqueued" in told
    assert "2 refused" in told
    assert "it is sent" in told
    assert [client.conversation(PAGE, f"70000{number}").waiting for number in range(3)] == [1, 1, 1]


def test_all_jobs_of_a_page_are_replayed_after_a_question(user: User, client: Envoi, rows: Rows) -> None:
    rows.job()
    rows.job(page_id="200", payload={"page": "200", "recipient": {"id": PERSON}, "message": {"text": "hello"}})
    form = {"act": "replay", "all": "1", "state": "failed", "page": PAGE}
    answer = user.post("/jobs/act", **form)
    assert "Are you sure" in answer.text
    assert client.conversation(PAGE, PERSON).waiting == 0
    assert "1 enqueued" in user.told(user.post("/jobs/act", sure="1", **form))
    assert client.conversation(PAGE, PERSON).waiting == 1
    assert client.conversation("200", PERSON).waiting == 0


@pytest.mark.parametrize("state", ["sent", "queued", ""])
def test_all_at_once_is_for_dead_letters_only(user: User, state: str) -> None:
    assert user.post("/jobs/act", act="discard", all="1", sure="1", state=state).status_code == 400


def test_an_unknown_job_is_replayed_on_a_second_word_only(user: User, client: Envoi, rows: Rows) -> None:
    job_id = rows.job("unknown")
    form = {"act": "replay", "state": "unknown", "job": job_id}
    answer = user.post("/jobs/act", **form)
    assert "may get such a message twice" in answer.text
    assert client.conversation(PAGE, PERSON).waiting == 0
    assert "1 enqueued" in user.told(user.post("/jobs/act", sure="1", **form))
    assert client.conversation(PAGE, PERSON).waiting == 1


def test_a_form_that_names_another_state_does_not_replay_an_unknown_job(user: User, client: Envoi, rows: Rows) -> None:
    job_id = rows.job("unknown")
    told = user.told(user.post("/jobs/act", act="replay", state="failed", job=job_id))
    assert "may have been sent" in told
    assert client.conversation(PAGE, PERSON).waiting == 0


def test_discarding_asks_first_and_deletes_the_message(user: User, rows: Rows) -> None:
    job_id = rows.job()
    form = {"act": "discard", "state": "failed", "job": job_id}
    assert "cannot be replayed any more" in user.post("/jobs/act", **form).text
    kept = queries.job(rows.engine, job_id)
    assert kept is not None
    assert kept.discarded_at is None
    assert "1 discarded" in user.told(user.post("/jobs/act", sure="1", **form))
    gone = queries.job(rows.engine, job_id)
    assert gone is not None
    assert "message" not in (gone.payload or {})


def test_a_settled_job_is_not_resolved(user: User, client: Envoi) -> None:
    job_id = client.send(PAGE, PERSON, "hello")
    told = user.told(user.post("/jobs/act", act="sent", job=job_id))
    assert "only what is settling or unknown can be resolved" in told
    assert client.status(job_id).state is State.QUEUED


def test_a_queued_job_is_cancelled_after_a_question(user: User, client: Envoi) -> None:
    job_id = client.send(PAGE, PERSON, "hello")
    assert "Cancel 1 job?" in user.post("/jobs/act", act="cancel", job=job_id).text
    assert "1 cancelled" in user.told(user.post("/jobs/act", act="cancel", job=job_id, sure="1"))
    assert client.status(job_id).state is State.CANCELLED


def test_what_is_no_job_is_refused(user: User) -> None:
    for act in ("replay", "cancel", "sent"):
        assert user.post("/jobs/act", act=act, job="x' OR 1=1", sure="1").status_code == 400


def test_no_job_chosen_does_nothing_and_says_so(user: User) -> None:
    assert "no jobs were chosen" in user.told(user.post("/jobs/act", act="replay", state="failed"))


@pytest.mark.parametrize("path", ["/jobs/act", "/conversation/act", "/pages/act", "/broadcasts/act"])
def test_an_act_that_does_not_exist_is_refused(user: User, path: str) -> None:
    assert user.post(path, act="drop").status_code == 400


def test_a_page_is_paused_with_a_reason_and_resumed_in_queue_and_log(user: User, house: House, rows: Rows) -> None:
    page = rows.page()
    assert "paused" in user.told(user.post("/pages/act", act="pause", page=page, reason="the shop is closed"))
    [live] = house.queue.pages([page])
    assert (live.reason, rows.pages.get(page).pause_reason) == ("the shop is closed", "the shop is closed")
    assert "sends again" in user.told(user.post("/pages/act", act="resume", page=page))
    [live] = house.queue.pages([page])
    assert (live.paused_since, rows.pages.get(page).paused_since) == (None, None)


def test_a_page_that_was_never_added_is_not_paused(user: User, house: House) -> None:
    assert "no page 999" in user.told(user.post("/pages/act", act="pause", page="999"))
    [live] = house.queue.pages(["999"])
    assert live.paused_since is None


def test_a_conversation_is_held_released_and_cleared(user: User, client: Envoi) -> None:
    client.send(PAGE, PERSON, "hello")
    where = {"page": PAGE, "kind": "id", "recipient": PERSON}
    assert "Held" in user.told(user.post("/conversation/act", act="hold", **where))
    assert client.conversation(PAGE, PERSON).held_since is not None
    assert "Released" in user.told(user.post("/conversation/act", act="release", **where))
    assert client.conversation(PAGE, PERSON).held_since is None
    assert "Are you sure" in user.post("/conversation/act", act="cancel-all", **where).text
    assert "Cancelled 1 job" in user.told(user.post("/conversation/act", act="cancel-all", sure="1", **where))
    assert client.conversation(PAGE, PERSON).waiting == 0


def test_a_broadcast_is_shown_paused_resumed_and_cancelled(user: User, house: House, rows: Rows) -> None:
    page = rows.page()
    made = Envoi(house.settings.redis_url).broadcast(page, ["7000001", "7000002"], "hello", key="spring")
    assert made in user.get("/broadcasts").text
    assert "spring" in user.get(f"/broadcasts/{made}").text
    for act, state in (("pause", "paused"), ("resume", "running")):
        assert f"broadcast is {state}" in user.told(user.post("/broadcasts/act", act=act, broadcast=made))
        assert house.broadcasts.get(made).state == state
    assert "ends for good" in user.post("/broadcasts/act", act="cancel", broadcast=made).text
    user.post("/broadcasts/act", act="cancel", broadcast=made, sure="1")
    assert house.broadcasts.get(made).state == "cancelling"
    assert "cannot become" in user.told(user.post("/broadcasts/act", act="pause", broadcast=made))


def test_a_broadcast_that_does_not_exist_is_not_found(user: User) -> None:
    assert user.get("/broadcasts/none").status_code == 404
    assert "no broadcast none" in user.told(user.post("/broadcasts/act", act="pause", broadcast="none"))


def test_every_act_is_in_the_consoles_log(user: User, rows: Rows, capfd: pytest.CaptureFixture[str]) -> None:
    page = rows.page()
    user.post("/pages/act", act="pause", page=page)
    told = capfd.readouterr().out
    assert "action=console_act" in told
    assert "act=pause" in told
    assert "host=127.0.0.1" in told
    assert f"page={page}" in told
