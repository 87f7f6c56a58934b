"""Pages and their tokens: encrypted at rest, versioned, resealed with a newer key."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlalchemy import Engine, select

from demo.ports import free_port
from envoi.log import tables
from envoi.log.database import open_log
from envoi.log.errors import BadSecretKeys, LogUnavailable, UnknownPage
from envoi.log.pages import PageStore
from envoi.log.secrets import SecretBox


def box(*keys: str) -> SecretBox:
    return SecretBox([SecretStr(key) for key in keys])


@pytest.fixture
def store(engine: Engine, secret_key: str) -> PageStore:
    return PageStore(engine, box(secret_key))


def sealed(engine: Engine, page: str) -> bytes:
    with engine.connect() as connection:
        return bytes(connection.execute(select(tables.pages.c.token).where(tables.pages.c.id == page)).scalar_one())


def test_a_page_comes_back_as_it_was_added(store: PageStore) -> None:
    store.add("P", SecretStr("EAAtoken"), platform="instagram", pace=2.5, cap=7)
    page = store.get("P")
    assert (page.id, page.platform, page.pace, page.cap, page.token_version) == ("P", "instagram", 2.5, 7, 1)
    assert page.paused_since is None
    assert page.created_at.tzinfo == UTC
    assert abs(page.created_at - datetime.now(UTC)) < timedelta(minutes=1)
    found = store.credentials("P")
    assert (found.token.get_secret_value(), found.version) == ("EAAtoken", 1)


def test_the_token_is_not_readable_in_the_database(store: PageStore, engine: Engine) -> None:
    store.add("P", SecretStr("EAAtoken"))
    assert b"EAAtoken" not in sealed(engine, "P")
    assert "EAAtoken" not in repr(store.get("P"))
    assert "EAAtoken" not in repr(store.credentials("P"))


def test_a_rotated_token_has_the_next_version(store: PageStore) -> None:
    store.add("P", SecretStr("old"), pace=3.0)
    assert store.rotate("P", SecretStr("new")).token_version == 2
    found = store.credentials("P")
    assert (found.token.get_secret_value(), found.version) == ("new", 2)
    assert store.get("P").pace == 3.0


def test_adding_a_page_again_replaces_it_and_counts_its_token_on(store: PageStore) -> None:
    first = store.add("P", SecretStr("old"), pace=3.0)
    again = store.add("P", SecretStr("new"))
    assert (again.token_version, again.pace) == (2, None)
    assert again.created_at == first.created_at
    assert again.updated_at >= first.updated_at


def test_pages_are_listed_by_id(store: PageStore) -> None:
    for page in ("B", "A", "C"):
        store.add(page, SecretStr("token"))
    assert [page.id for page in store.list()] == ["A", "B", "C"]


def test_a_page_never_added_is_unknown_everywhere(store: PageStore) -> None:
    for ask in (store.get, store.credentials, lambda page: store.rotate(page, SecretStr("token"))):
        with pytest.raises(UnknownPage, match="envoi pages add P"):
            ask("P")


def test_resealing_lets_an_older_key_be_withdrawn(engine: Engine, secret_key: str) -> None:
    newer = Fernet.generate_key().decode()
    PageStore(engine, box(secret_key)).add("P", SecretStr("one"))
    PageStore(engine, box(secret_key)).add("Q", SecretStr("two"))
    both = PageStore(engine, box(newer, secret_key))
    assert both.credentials("P").token.get_secret_value() == "one"
    assert both.reseal() == 2
    only = PageStore(engine, box(newer))
    assert [only.credentials(page).token.get_secret_value() for page in ("P", "Q")] == ["one", "two"]
    assert only.get("P").token_version == 1  # it is the same token
    with pytest.raises(BadSecretKeys):
        PageStore(engine, box(secret_key)).credentials("P")


def test_resealing_changes_nothing_where_one_token_cannot_be_read(engine: Engine, secret_key: str) -> None:
    PageStore(engine, box(secret_key)).add("A", SecretStr("one"))
    PageStore(engine, box(Fernet.generate_key().decode())).add("B", SecretStr("two"))
    before = sealed(engine, "A")
    with pytest.raises(BadSecretKeys):
        PageStore(engine, box(Fernet.generate_key().decode(), secret_key)).reseal()
    assert sealed(engine, "A") == before


def test_rotations_at_once_all_count(store: PageStore) -> None:
    store.add("P", SecretStr("first"))
    threads = [threading.Thread(target=store.rotate, args=("P", SecretStr(f"token {n}"))) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.get("P").token_version == 9


def test_a_database_that_is_away_is_told_as_such(secret_key: str) -> None:
    engine = open_log(f"postgresql://envoi@127.0.0.1:{free_port()}/log")
    with pytest.raises(LogUnavailable):
        PageStore(engine, box(secret_key)).credentials("P")
    engine.dispose()
