"""The console's password: hashed, compared, and asked for before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from envoi.console.password import BadPassword, Password, hashed
from envoi.settings import Settings

WORD = "correct horse battery"


@pytest.fixture(scope="module")
def kept() -> str:
    return hashed(WORD)


def test_only_the_password_fits_its_hash(kept: str) -> None:
    password = Password(kept)
    assert password.fits(WORD)
    for wrong in ("", "correct horse batterz", WORD + " ", WORD * 100, WORD.upper(), "\udcff"):
        assert not password.fits(wrong)


def test_a_hash_does_not_tell_the_password_and_is_never_the_same_twice(kept: str) -> None:
    assert WORD not in kept
    assert "$" not in kept  # compose files would replace it
    assert hashed(WORD) != kept


@pytest.mark.parametrize("short", ["", "elevenchars", "x" * 1025])
def test_a_password_that_is_too_short_or_too_long_is_refused(short: str) -> None:
    with pytest.raises(BadPassword, match="12 characters"):
        hashed(short)


@pytest.mark.parametrize(
    "spoilt", ["plain password", "scrypt:1:2:3", "scrypt:x:8:1:AA:AA", "scrypt:32768:8:1:AAAA:", "bcrypt:16:8:1:AA:AA"]
)
def test_what_is_no_hash_is_refused_without_being_repeated(spoilt: str) -> None:
    with pytest.raises(BadPassword, match="envoi console --hash") as raised:
        Password(spoilt)
    assert spoilt not in str(raised.value)


def test_without_a_password_there_is_no_console() -> None:
    with pytest.raises(BadPassword, match="does not start without a password"):
        Password.of(Settings())


@pytest.mark.parametrize("plain", [True, False])
def test_a_file_may_hold_the_password_or_its_hash(tmp_path: Path, kept: str, *, plain: bool) -> None:
    file = tmp_path / "password"
    file.write_text(f"{WORD if plain else kept}\n")
    assert Password.of(Settings(console_password_file=str(file))).fits(WORD)


def test_a_file_that_cannot_be_read_is_named_by_its_setting(tmp_path: Path) -> None:
    with pytest.raises(BadPassword, match="ENVOI_CONSOLE_PASSWORD_FILE cannot be read"):
        Password.of(Settings(console_password_file=str(tmp_path / "none")))


def test_a_plain_password_in_the_environment_is_refused() -> None:
    with pytest.raises(BadPassword, match="no hash"):
        Password.of(Settings(console_password=SecretStr(WORD)))
