"""Who gets into the console: nobody without the password, and no form that another site has made."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest
import requests
from pydantic import SecretStr

from envoi.console.app import console_app
from envoi.console.guard import Guard
from envoi.console.house import House
from envoi.console.password import BadPassword
from envoi.console.sessions import Sessions
from envoi.console.tries import FREE
from envoi.settings import Settings
from tests.integration.console.conftest import PASSWORD, TIMEOUT, User
from tests.integration.console.rows import Rows

PAGES = (
    "/",
    "/jobs",
    "/jobs/01M86X3YDD2XQ34SMV5Q0EAHZB",
    "/search?q=1",
    "/conversation?page=1",
    "/pages",
    "/broadcasts",
)
ACTS = ("/jobs/act", "/jobs/01M86X3YDD2XQ34SMV5Q0EAHZB", "/conversation", "/conversation/act", "/pages/act", "/logout")


@pytest.mark.parametrize("path", [*PAGES, "/broadcasts/1", "/no/such/page"])
def test_a_stranger_sees_the_question_for_the_password_and_nothing_else(stranger: User, path: str) -> None:
    answer = stranger.get(path, allow_redirects=False)
    assert (answer.status_code, answer.text) == (303, "")
    assert answer.headers["location"].startswith("/login?next=")
    assert "password" in stranger.get(path).text


@pytest.mark.parametrize("path", [*ACTS, "/broadcasts/act"])
def test_a_stranger_does_nothing(stranger: User, path: str) -> None:
    answer = stranger.http.post(
        stranger.url + path, {"act": "pause"}, headers={"Origin": stranger.url}, allow_redirects=False, timeout=TIMEOUT
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")


def test_the_password_opens_the_page_that_was_asked_for(stranger: User) -> None:
    answer = stranger.post("/login", password=PASSWORD, next="/pages")
    assert answer.url == stranger.url + "/pages"
    cookie = answer.history[0].headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Secure" not in cookie  # it is plain http


@pytest.mark.parametrize("wrong", ["", "wrong", PASSWORD + " ", "\x07"])
def test_another_password_does_not(stranger: User, wrong: str) -> None:
    answer = stranger.login(wrong)
    assert answer.status_code == 403
    assert "That is not the password" in answer.text
    assert not stranger.http.cookies


def test_who_tries_too_often_has_to_wait_also_with_the_right_password(stranger: User) -> None:
    for _ in range(FREE):
        assert stranger.login("wrong").status_code == 403
    for password in ("wrong", PASSWORD):
        answer = stranger.login(password)
        assert answer.status_code == 429
        assert "Too many wrong tries" in answer.text


@pytest.mark.parametrize("following", ["https://example.com/", "//example.com", "/\\example.com"])
def test_logging_in_leads_nowhere_else(stranger: User, following: str) -> None:
    answer = stranger.http.post(
        f"{stranger.url}/login",
        {"password": PASSWORD, "next": following},
        headers={"Origin": stranger.url},
        allow_redirects=False,
        timeout=TIMEOUT,
    )
    assert answer.headers["location"] == "/"


def test_logging_out_ends_the_session_also_for_who_kept_the_cookie(user: User) -> None:
    kept = dict(user.http.cookies)
    assert "Log in" in user.post("/logout").text
    again = requests.get(f"{user.url}/jobs", cookies=kept, allow_redirects=False, timeout=TIMEOUT)
    assert again.status_code == 303


@pytest.mark.parametrize("origin", ["https://example.com", "null", "http://127.0.0.1:1", None])
def test_a_form_of_another_site_is_refused(user: User, rows: Rows, origin: str | None) -> None:
    page = rows.page()
    answer = user.http.post(
        f"{user.url}/pages/act",
        {"act": "pause", "page": page, "token": user.token},
        headers={} if origin is None else {"Origin": origin},
        timeout=TIMEOUT,
    )
    assert answer.status_code == 403
    assert rows.pages.get(page).paused_since is None


@pytest.mark.parametrize("token", ["", "0" * 64, "é"])
def test_a_form_without_the_sessions_token_is_refused(user: User, rows: Rows, token: str) -> None:
    page = rows.page()
    user.token = token
    assert user.post("/pages/act", act="pause", page=page).status_code == 403
    assert rows.pages.get(page).paused_since is None


def test_the_token_of_another_session_is_refused(user: User, site: str) -> None:
    other = User(site)
    other.login()
    other.get("/jobs")
    assert other.token != user.token
    user.token = other.token
    assert user.post("/logout").status_code == 403
    other.http.close()


def test_large_forms_and_other_bodies_are_refused(user: User) -> None:
    assert user.post("/jobs/act", act="replay", job="x" * 70_000).status_code == 400
    headers = {"Origin": user.url, "Content-Type": "text/plain"}
    assert user.http.post(f"{user.url}/jobs/act", "act=replay", headers=headers, timeout=TIMEOUT).status_code == 400


@pytest.mark.parametrize("path", ["/", "/login", "/static/console.css", "/no/such/page", "/healthz"])
def test_every_answer_tells_the_browser_to_be_careful(user: User, path: str) -> None:
    headers = user.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert ("no-store" in headers["cache-control"]) != path.startswith("/static/")
    assert "server" not in headers


@pytest.mark.parametrize("host", ["console.example", "evil.example:80", "127.0.0.1.evil.example", "[", ""])
def test_a_name_that_is_not_the_consoles_own_is_refused(stranger: User, host: str) -> None:
    answer = stranger.get("/login", headers={"Host": host})
    assert answer.status_code == 421
    assert "ENVOI_CONSOLE_URL" in answer.text


def test_the_console_does_not_start_without_a_password(house: House) -> None:
    without = replace(house, settings=house.settings.model_copy(update={"console_password": None}))
    with pytest.raises(BadPassword):
        console_app(without)


def test_behind_tls_the_cookie_is_secure_and_bound_to_the_host(house: House) -> None:
    behind = house.settings.model_copy(update={"console_url": "https://console.example"})
    guard = Guard(replace(house, settings=behind), Sessions(b"key", 60))
    assert guard.secure
    assert guard.cookie.startswith("__Host-")


def test_who_logs_in_or_fails_to_is_in_the_log_without_the_password(
    stranger: User, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        stranger.login("not the password")
        stranger.login()
    printed = capfd.readouterr()
    told = printed.out + printed.err + caplog.text
    assert "console_wrong_password" in told
    assert "console_login" in told
    assert "not the password" not in told
    assert PASSWORD not in told


def test_settings_name_the_consoles_address_or_are_refused() -> None:
    assert Settings(console_url="https://console.example:8443").console_url == "https://console.example:8443"
    with pytest.raises(ValueError, match="console_url"):
        Settings(console_url="https://console.example/path", console_password=SecretStr("x"))
