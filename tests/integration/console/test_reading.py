"""What the console shows of log and queue."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from demo.ports import free_port
from envoi.client import Envoi
from envoi.console.house import House
from envoi.states import State
from tests.integration.console.conftest import User
from tests.integration.console.rows import PAGE, PERSON, Rows

SECRET = "for your eyes only"  # as Rows writes it


@pytest.fixture
def client(house: House) -> Envoi:
    return house.client


def test_the_overview_counts_what_ended_and_says_why(user: User, rows: Rows) -> None:
    for _ in range(3):
        rows.job("sent", minutes_ago=0)
    rows.job("failed", minutes_ago=0, error_code=551, error_message="This person isn't available")
    rows.job("unknown", minutes_ago=0)
    text = user.get("/").text
    assert '<span class="figure">3</span> <span class="what">sent</span>' in text
    assert "code 551" in text
    assert "This person isn&#39;t available" in text
    assert SECRET not in text


def test_the_overview_shows_what_waits_and_what_is_not_well(user: User, client: Envoi, rows: Rows) -> None:
    page = rows.page()
    client.send(page, PERSON, "hello")
    client.send(page, "7000002", "hello", lane="bulk")
    text = user.get("/").text
    assert '<span class="figure">2</span> <span class="what">conversations wait' in text
    assert "no scheduler has given a sign of life" in text
    assert "no worker" in text.lower()
    user.post("/pages/act", act="pause", page=page, reason="closed for today")
    assert "closed for today" in user.get("/").text


def test_a_log_without_tables_leaves_the_queue_readable(user: User, house: House) -> None:
    with house.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE calls")
        connection.exec_driver_sql("DROP TABLE jobs")
    text = user.get("/").text
    assert "The log cannot be read" in text
    assert "Who delivers" in text
    assert user.get("/jobs").status_code == 503


def test_jobs_are_listed_newest_first_and_go_on_without_gaps_or_repeats(user: User, rows: Rows) -> None:
    ids = [rows.job("sent", minutes_ago=number // 7) for number in range(120)]  # seven at one moment
    found: list[str] = []
    path = "/jobs?state=sent"
    while path:
        text = user.get(path).text
        found += [part.partition('"')[0] for part in text.split('<a href="/jobs/')[1:] if part[0] == "0"]
        _, _, older = text.partition('rel="next">')
        path = text.rpartition('" rel="next">')[0].rpartition('href="')[2].replace("&amp;", "&") if older else ""
    assert sorted(found) == sorted(ids)
    assert len(found) == 120


def test_dead_letters_are_filtered_by_page_and_code(user: User, rows: Rows) -> None:
    mine = rows.job(error_code=551)
    other = rows.job(error_code=10)
    elsewhere = rows.job(page_id="200", error_code=551)
    gone = rows.job(discarded_at=datetime.now(UTC))
    for query, seen in (
        ("", {mine, other, elsewhere}),
        ("&code=551", {mine, elsewhere}),
        ("&page=200", {elsewhere}),
        (f"&page={PAGE}&code=10", {other}),
        ("&code=1", set()),
    ):
        text = user.get(f"/jobs?state=failed{query}").text
        assert {job for job in (mine, other, elsewhere, gone) if job in text} == seen


@pytest.mark.parametrize("state", State)
def test_every_state_has_a_list(user: User, rows: Rows, state: State) -> None:
    job_id = rows.job(state.value)
    assert job_id in user.get(f"/jobs?state={state}").text
    assert job_id in user.get("/jobs").text


@pytest.mark.parametrize(
    "query",
    ["state=failed&page=%00", "state=x", "state=failed&code=x", "before=x", "before=2026-01-01~x", f"code={1 << 70}"],
)
def test_a_malformed_address_is_refused(user: User, query: str) -> None:
    assert user.get(f"/jobs?{query}").status_code == 400


def test_a_job_is_shown_with_every_call_but_without_its_words(user: User, rows: Rows) -> None:
    job_id = rows.job(calls=3, key="order-7", error_code=100, error_subcode=2018001)
    text = user.get(f"/jobs/{job_id}").text
    for part in ("typing_on", "message", "typing_off", "100/2018001", "Trace1", "order-7", "text of 18 characters"):
        assert part in text
    assert SECRET not in text


def test_words_are_shown_to_who_asks_and_the_log_says_so(
    user: User, rows: Rows, capfd: pytest.CaptureFixture[str]
) -> None:
    job_id = rows.job()
    assert SECRET in user.post(f"/jobs/{job_id}").text
    assert SECRET in user.post("/conversation", page=PAGE, kind="id", recipient=PERSON).text
    told = capfd.readouterr().out
    assert told.count("action=console_texts") == 2
    assert SECRET not in told


def test_a_console_may_hide_words_from_everybody(user: User, house: House, rows: Rows) -> None:
    job_id = rows.job()
    object.__setattr__(house, "settings", house.settings.model_copy(update={"console_texts": "hide"}))
    assert "Show what was written" not in user.get(f"/jobs/{job_id}").text
    for answer in (user.post(f"/jobs/{job_id}"), user.post("/conversation", page=PAGE, recipient=PERSON)):
        assert SECRET not in answer.text
        assert "does not show what was written" in answer.text


def test_a_job_that_the_log_does_not_know_yet_is_shown_from_the_queue(user: User, client: Envoi) -> None:
    job_id = client.send(PAGE, PERSON, "hello")
    text = user.get(f"/jobs/{job_id}").text
    assert "the log does not yet" in text
    assert "queued" in text


@pytest.mark.parametrize("job", ["01M86X3YDD2XQ34SMV5Q0EAHZB", "x", "%2e%2e%2f", "%00"])
def test_a_job_that_nobody_knows_is_not_found(user: User, job: str) -> None:
    assert user.get(f"/jobs/{job}").status_code in {400, 404}


def test_search_finds_a_job_by_id_message_id_and_key(user: User, rows: Rows) -> None:
    job_id = rows.job("sent", message_id="m_abc", key="order-7")
    for word in (job_id, job_id.lower(), " m_abc ", "order-7"):
        assert user.get("/search", params={"q": word}).url == f"{user.url}/jobs/{job_id}"


def test_search_finds_a_persons_conversations_with_each_page(user: User, rows: Rows) -> None:
    for page in ("100", "200", "300"):
        rows.page(page)
    rows.job(page_id="100")
    assert user.get("/search", params={"q": PERSON}).url.endswith(f"/conversation?page=100&kind=id&recipient={PERSON}")
    rows.job(page_id="300")
    text = user.get("/search", params={"q": PERSON}).text
    assert "page=100&amp;kind=id" in text
    assert "page=300&amp;kind=id" in text
    assert "page=200&amp;kind=id" not in text


@pytest.mark.parametrize(
    "word", ["", " ", "nobody", "%", "'; DROP TABLE jobs; --", "<script>alert(1)</script>", "\x07", "x" * 5000]
)
def test_search_for_anything_else_finds_nothing_and_breaks_nothing(user: User, rows: Rows, word: str) -> None:
    rows.job()
    answer = user.get("/search", params={"q": word})
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text


def test_a_conversation_shows_its_jobs_calls_and_standing(user: User, client: Envoi, rows: Rows) -> None:
    rows.page()
    first, second = rows.job("sent", minutes_ago=9, calls=1), rows.job(minutes_ago=5, calls=3)
    waiting = client.send(PAGE, PERSON, "hello")
    rows.job(recipient="7000009")
    client.hold(PAGE, PERSON)
    text = user.get(f"/conversation?page={PAGE}&recipient={PERSON}").text
    assert text.index(second) < text.index(first)
    assert "Trace1" in text
    assert waiting in text  # heads the line
    assert "until it is released" in text
    assert "7000009" not in text
    assert SECRET not in text


@pytest.mark.parametrize(
    "query", ["", "page=1&recipient=x", "page=1&kind=id", "page=1&kind=odd&recipient=1", "page=%07&recipient=1"]
)
def test_a_conversation_that_cannot_be_is_not_found(user: User, query: str) -> None:
    assert user.get(f"/conversation?{query}").status_code == 404


def test_pages_show_state_pace_token_and_what_waits(user: User, rows: Rows, client: Envoi) -> None:
    rows.page("100", pace=7.0)
    rows.page("200")
    client.send("200", PERSON, "hello", lane="bulk")
    text = user.get("/pages").text
    assert "7 messages a second" in text
    assert "30 messages a second, the default" in text
    assert "the queue was not told" in text
    assert "0 replies, 1 bulk" in text
    assert "token of" not in text


def test_what_others_wrote_is_escaped_everywhere(user: User, rows: Rows, house: House) -> None:
    evil = "<img src=x onerror=alert(1)>"
    rows.page(name=evil)
    job_id = rows.job("failed", minutes_ago=0, error_message=evil, key=evil, payload={"message": {"text": evil}})
    house.queue.pause(PAGE, evil)
    for path in (
        "/",
        "/jobs?state=failed",
        f"/jobs/{job_id}",
        f"/conversation?page={PAGE}&recipient={PERSON}",
        "/pages",
    ):
        text = user.get(path).text
        assert "<img src=x" not in text
        assert "&lt;img src=x" in text
    assert "<img src=x" not in user.post(f"/jobs/{job_id}").text


def test_a_queue_that_is_away_leaves_the_log_readable(
    user: User, house: House, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows.page()
    job_id = rows.job("sent", minutes_ago=0)
    pool = house.queue.redis.connection_pool
    pool.disconnect()
    monkeypatch.setitem(pool.connection_kwargs, "port", free_port())  # where nobody listens
    assert "The queue cannot be read" in user.get("/").text
    assert user.get(f"/jobs/{job_id}").status_code == 200
    assert "knowledge alone" in user.get("/pages").text
    assert "The queue cannot be read" in user.get(f"/conversation?page={PAGE}&recipient={PERSON}").text
