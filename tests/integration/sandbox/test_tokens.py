"""What Graph says about a token (SEND_API 6)."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.integration.sandbox.client import PAGE, TOKEN, Client, Response, sandbox_process

APP_ID = "1517776481860111"


def debug(client: Client, token: str, **query: str) -> Response:
    return client.ask("GET", f"/v25.0/debug_token?{urlencode({'access_token': token, **query})}")


@pytest.mark.parametrize("asker", [TOKEN, f"{APP_ID}|secret"])
def test_a_live_token_is_valid_and_says_whose_it_is(client: Client, asker: str) -> None:
    told = debug(client, asker, input_token=TOKEN).json["data"]
    assert (told["is_valid"], told["profile_id"], told["expires_at"]) == (True, PAGE, 0)
    assert (told["app_id"], "pages_messaging" in told["scopes"]) == (APP_ID, True)


def test_a_dead_token_is_not_valid_and_says_why(client: Client) -> None:
    client.control("POST", f"pages/{PAGE}/kill-tokens", {"subcode": 463})
    told = debug(client, f"{APP_ID}|secret", input_token=TOKEN).json["data"]
    assert told["is_valid"] is False
    assert (told["error"]["code"], told["error"]["subcode"]) == (190, 463)
    assert debug(client, TOKEN, input_token=TOKEN).error == (190, 463)


def test_only_the_app_and_its_pages_may_ask(client: Client) -> None:
    assert debug(client, "7|secret", input_token=TOKEN).error == (190, None)
    assert debug(client, "EAAunknown", input_token=TOKEN).error == (190, None)
    assert debug(client, "", input_token=TOKEN).error == (104, None)
    assert debug(client, TOKEN).error == (100, None)


def test_with_an_app_secret_the_apps_token_must_hold_it(tmp_path: Path) -> None:
    with sandbox_process(tmp_path, "--app-secret", "sesame") as (_, client):
        assert debug(client, f"{APP_ID}|wrong", input_token=TOKEN).error == (190, None)
        assert debug(client, f"{APP_ID}|sesame", input_token=TOKEN).json["data"]["is_valid"] is True


def test_no_token_that_was_asked_about_is_in_the_ledger(client: Client) -> None:
    debug(client, f"{APP_ID}|secret", input_token=TOKEN)
    entry = client.entry(edge="debug_token")
    assert entry["http_status"] == 200
    assert TOKEN not in str(entry)
    assert "secret" not in str(entry)
