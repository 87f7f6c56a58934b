from __future__ import annotations

import hashlib
import hmac

import pytest

from sandbox.errors import Refused
from sandbox.pages import Page, Pages

PROVED = Page("1001", app_secret="sesame")


def code_of(pages: Pages, token: str | None) -> tuple[int, int | None]:
    with pytest.raises(Refused) as refused:
        pages.owner(token)
    return refused.value.error.code, refused.value.error.subcode


def test_a_token_belongs_to_its_page_and_several_live_side_by_side() -> None:
    pages = Pages()
    pages.register(PROVED, "old")
    pages.register(PROVED, "new")
    assert pages.owner("old") is pages.owner("new") is PROVED
    assert pages.live_tokens("1001") == 2


@pytest.mark.parametrize("token", [None, ""])
def test_no_token_is_104_and_an_unknown_one_190(token: str | None) -> None:
    assert code_of(Pages(), token) == (104, None)
    assert code_of(Pages(), "other") == (190, None)


def test_killed_tokens_answer_190_with_their_subcode_until_registered_again() -> None:
    pages = Pages()
    pages.register(PROVED, "old")
    pages.register(Page("1002"), "other")
    assert pages.kill_tokens("1001", 463) == 1
    assert pages.kill_tokens("1001", 460) == 0
    assert code_of(pages, "old") == (190, 463)
    assert pages.owner("other").id == "1002"
    pages.register(PROVED, "new")
    assert code_of(pages, "old") == (190, 463)
    pages.register(PROVED, "old")
    assert pages.owner("old") is PROVED


def test_a_removed_page_takes_its_tokens_with_it() -> None:
    pages = Pages()
    pages.register(PROVED, "T")
    pages.remove("1001")
    assert code_of(pages, "T") == (190, None)
    assert pages.all() == []


@pytest.mark.parametrize(
    ("page", "proof", "right"),
    [
        (PROVED, hmac.new(b"sesame", b"T", hashlib.sha256).hexdigest(), True),
        (PROVED, hmac.new(b"sesame", b"T", hashlib.sha256).hexdigest().upper(), False),
        (PROVED, hmac.new(b"sesame", b"U", hashlib.sha256).hexdigest(), False),
        (PROVED, "é\ud800", False),
        (PROVED, 5, False),
        (PROVED, None, False),
        (PROVED, "", False),
        (Page("1001", app_secret="sesame", proof_required=False), None, True),
        (Page("1001", app_secret="sesame", proof_required=False), "wrong", False),
        (Page("1001"), "anything", True),
    ],
)
def test_a_proof_is_the_hmac_of_the_token_in_lower_case(page: Page, proof: object, right: bool) -> None:
    if right:
        page.check_proof("T", proof)
        return
    with pytest.raises(Refused) as refused:
        page.check_proof("T", proof)
    assert refused.value.error.code == 100


def test_no_secret_shows_in_a_page_s_own_words() -> None:
    assert "sesame" not in repr(PROVED)
