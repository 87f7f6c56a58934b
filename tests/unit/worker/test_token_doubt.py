"""Doubts about a token that Graph refused. What Graph says of it: tests/integration/worker/test_hosts_and_tokens.py."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from envoi.events import GraphError
from envoi.log.credentials import Credentials
from envoi.settings import Settings
from worker.token_doubt import TokenDoubts
from worker.verdicts import Refused, Throttled

REFUSED = Refused(GraphError("Invalid OAuth access token.", 190), "page")


def token(version: int) -> Credentials:
    return Credentials(SecretStr(f"token-{version}"), version)


def test_a_late_refusal_of_an_old_token_does_not_hold_the_page_since_the_new_one_lives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    doubts = TokenDoubts(Settings(app_id="7", app_secret="sesame"))
    monkeypatch.setattr(doubts, "_ask", lambda *_: True)
    assert isinstance(doubts.reconsider(REFUSED, "1", token(2)), Throttled)
    assert doubts.reconsider(REFUSED, "1", token(1)) == REFUSED


@pytest.mark.parametrize(
    ("verdict", "app_id", "concerned"),
    [
        (REFUSED, "7", True),
        (REFUSED, None, False),  # nobody can be asked
        (Refused(GraphError("Permissions error", 200), "page"), "7", False),
        (Refused(GraphError("Invalid parameter", 100), "message"), "7", False),
    ],
)
def test_only_a_refused_token_that_can_be_asked_about_is_a_doubt(
    verdict: Refused, app_id: str | None, concerned: bool
) -> None:
    assert TokenDoubts(Settings(app_id=app_id, app_secret="sesame")).concern(verdict, token(1)) is concerned
