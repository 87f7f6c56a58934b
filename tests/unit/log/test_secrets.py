"""The box that seals tokens shows neither token nor key."""

from __future__ import annotations

import traceback

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from envoi.log.errors import BadSecretKeys
from envoi.log.secrets import SecretBox


def key() -> SecretStr:
    return SecretStr(Fernet.generate_key().decode())


def test_what_was_sealed_can_be_opened() -> None:
    box = SecretBox([key()])
    sealed = box.seal(SecretStr("EAAtöken"))
    assert b"EAA" not in sealed
    assert box.open(sealed).get_secret_value() == "EAAtöken"


def test_any_of_the_keys_opens_and_the_newest_seals() -> None:
    old, new = key(), key()
    sealed = SecretBox([old]).seal(SecretStr("token"))
    both = SecretBox([new, old])
    assert both.open(sealed).get_secret_value() == "token"
    assert SecretBox([new]).open(both.rotate(sealed)).get_secret_value() == "token"
    assert SecretBox([new]).open(both.seal(SecretStr("next"))).get_secret_value() == "next"


def test_without_a_key_that_fits_nothing_opens() -> None:
    sealed = SecretBox([key()]).seal(SecretStr("token"))
    other = SecretBox([key()])
    for ask in (other.open, other.rotate):
        with pytest.raises(BadSecretKeys, match="holds no key that this token was encrypted with"):
            ask(sealed)
        with pytest.raises(BadSecretKeys):
            ask(b"nonsense")


def test_no_key_at_all_is_told_with_the_way_to_make_one() -> None:
    with pytest.raises(BadSecretKeys, match=r"Fernet\.generate_key"):
        SecretBox([])


def test_a_malformed_key_is_named_by_its_number_and_not_shown() -> None:
    malformed = "x".join("malformed")  # not as it is, for a traceback shows this line
    with pytest.raises(BadSecretKeys, match="key number 2 ") as raised:
        SecretBox([key(), SecretStr(malformed)])
    assert malformed not in "".join(traceback.format_exception(raised.value))
