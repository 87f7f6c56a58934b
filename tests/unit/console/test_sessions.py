"""Sessions: cookies that nobody can make, and that end."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from envoi.console.sessions import Sessions, session_key
from envoi.settings import Settings


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions(clock: Clock) -> Sessions:
    return Sessions(b"key", 100.0, clock)


def test_a_cookie_is_read_until_its_time_is_over(sessions: Sessions, clock: Clock) -> None:
    cookie = sessions.begin()
    found = sessions.read(cookie)
    assert found is not None
    assert found.until == clock.now + 100
    clock.now += 99
    assert sessions.read(cookie) == found
    clock.now += 1
    assert sessions.read(cookie) is None


def test_a_changed_cookie_is_nobodys(sessions: Sessions) -> None:
    name, until, signature = sessions.begin().split(".")
    for forged in (
        f"{name}x.{until}.{signature}",
        f"{name}.{int(until) + 1}.{signature}",
        f"{name}.{until}.{signature[:-1]}",
        f"{name}.{until}.é",
        f"{name}.{until}",
        "..",
        "",
    ):
        assert sessions.read(forged) is None


def test_another_key_reads_none_of_them(sessions: Sessions, clock: Clock) -> None:
    assert Sessions(b"other", 100.0, clock).read(sessions.begin()) is None


def test_who_has_logged_out_is_out_also_with_a_kept_cookie(sessions: Sessions) -> None:
    cookie, other = sessions.begin(), sessions.begin()
    found = sessions.read(cookie)
    assert found is not None
    sessions.end(found)
    assert sessions.read(cookie) is None
    assert sessions.read(other) is not None


def test_each_session_has_a_token_of_its_own_that_is_not_its_cookie(sessions: Sessions) -> None:
    cookies = [sessions.begin() for _ in range(3)]
    found = [sessions.read(cookie) for cookie in cookies]
    assert len({one.token for one in found if one}) == 3
    assert not [one for one in found for cookie in cookies if one and one.token in cookie]


def test_a_new_password_or_key_ends_every_session() -> None:
    keys = [SecretStr("a" * 43 + "="), SecretStr("b" * 43 + "=")]
    first, second = (Settings(secret_keys=(key,)) for key in keys)
    assert session_key(first, "hash") == session_key(first, "hash")
    assert len({session_key(first, "hash"), session_key(first, "other"), session_key(second, "hash")}) == 3


def test_without_secret_keys_sessions_end_with_the_process() -> None:
    assert session_key(Settings(), "hash") != session_key(Settings(), "hash")
