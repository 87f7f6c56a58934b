"""Page tokens in a worker's memory."""

from __future__ import annotations

import itertools
import threading

import pytest
from pydantic import SecretStr

from envoi.log.credentials import Credentials
from envoi.log.errors import BadSecretKeys, LogError, LogUnavailable, SchemaMissing, UnknownPage
from worker.tokens import NoTokenError, Tokens, TokensUnavailableError


class Store:
    """Where tokens are kept; counts how often it is asked."""

    def __init__(self, text: str = "secret-1", version: int = 1) -> None:
        self.kept = Credentials(SecretStr(text), version)
        self.error: Exception | None = None
        self.reads = 0

    def credentials(self, page: str) -> Credentials:
        assert page == "1"
        self.reads += 1
        if self.error:
            raise self.error
        return self.kept

    def all_credentials(self) -> dict[str, Credentials]:
        if self.error:
            raise self.error
        return {"1": self.kept}


def test_a_token_is_read_once_and_then_known() -> None:
    store = Store()
    tokens = Tokens(store)
    assert [tokens.get("1", version).token.get_secret_value() for version in (0, 1, 1)] == ["secret-1"] * 3
    assert store.reads == 1


def test_a_newer_version_is_read_at_once() -> None:
    store = Store()
    tokens = Tokens(store)
    tokens.get("1", 1)
    store.kept = Credentials(SecretStr("secret-2"), 2)
    assert tokens.get("1", 1).token.get_secret_value() == "secret-1"
    assert tokens.get("1", 2).token.get_secret_value() == "secret-2"
    assert store.reads == 2


def test_after_loading_all_sql_is_not_asked_any_more() -> None:
    store = Store()
    tokens = Tokens(store)
    assert tokens.load() == 1
    store.error = LogUnavailable("x")
    assert tokens.get("1", 1).token.get_secret_value() == "secret-1"
    assert store.reads == 0


def test_loading_without_sql_says_so() -> None:
    store = Store()
    store.error = LogUnavailable("x")
    with pytest.raises(TokensUnavailableError):
        Tokens(store).load()


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (UnknownPage("x"), NoTokenError),
        (BadSecretKeys("x"), NoTokenError),
        (LogUnavailable("x"), TokensUnavailableError),
        (SchemaMissing("x"), TokensUnavailableError),
    ],
)
def test_what_an_operator_must_mend_is_told_apart_from_what_passes(error: LogError, raised: type[Exception]) -> None:
    store = Store()
    store.error = error
    with pytest.raises(raised):
        Tokens(store).get("1", 1)


def test_a_failure_is_not_remembered() -> None:
    store = Store()
    tokens = Tokens(store)
    store.error = LogUnavailable("x")
    with pytest.raises(TokensUnavailableError):
        tokens.get("1", 1)
    store.error = None
    assert tokens.get("1", 1).token.get_secret_value() == "secret-1"


@pytest.mark.parametrize("token", ["", "two words", "line\r\nX-Injected: 1", "tökén", "nul\x00"])
def test_a_token_that_would_break_out_of_its_header_is_never_handed_out(token: str) -> None:
    with pytest.raises(NoTokenError) as caught:
        Tokens(Store(token)).get("1", 1)
    assert not token or token not in str(caught.value)


def test_threads_that_wait_for_the_same_page_share_one_read_and_its_failure() -> None:
    """Else each in turn would wait for a database that does not answer."""
    everyone_asked = threading.Event()
    times = itertools.count(1)

    def clock() -> float:
        now = next(times)
        if now == len(threads):
            everyone_asked.set()
        return float(now)

    class Slow(Store):
        def credentials(self, page: str) -> Credentials:
            assert everyone_asked.wait(10)
            return super().credentials(page)

    store = Slow()
    store.error = LogUnavailable("x")
    tokens = Tokens(store, clock)
    failures: list[str] = []

    def ask() -> None:
        with pytest.raises(TokensUnavailableError) as caught:
            tokens.get("1", 1)
        failures.append(str(caught.value))

    threads = [threading.Thread(target=ask) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(failures) == 5
    assert len(set(failures)) == 1
    assert store.reads == 1
