from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from envoi import BadSettings
from envoi.cli.settings import settings_page
from envoi.settings import Settings, settings, variable

ROOT = Path(__file__).parents[3]


def test_the_documented_settings_are_those_of_this_version() -> None:
    written = (ROOT / "docs" / "settings.md").read_text()
    assert written == settings_page(), "print it anew: envoi settings --markdown > docs/settings.md"


def test_the_page_lists_every_setting_with_default_and_meaning() -> None:
    rows = [line for line in settings_page().splitlines() if line.startswith("| `ENVOI_")]
    assert len(rows) == len(Settings.model_fields)
    assert "| `ENVOI_READ_TIMEOUT` | `90` | To wait for the answer to a message call. |" in rows
    assert any(row.startswith("| `ENVOI_APP_SECRET` | none |") for row in rows)


@pytest.mark.parametrize(
    ("name", "value", "limit"),
    [
        ("ENVOI_REDIS_URL", "http://127.0.0.1", "must be an address that begins with redis://"),
        ("ENVOI_REDIS_TAG", "Envoi}", "must be lower-case letters"),
        ("ENVOI_GRAPH_URL", "graph.facebook.com", "must be an address such as https://"),
        ("ENVOI_GRAPH_URL", "https://user:sesame@graph.facebook.com", "must be an address such as https://"),
        ("ENVOI_GRAPH_VERSION", "25", "must be a version such as v25.0"),
        ("ENVOI_LEASE", "soon", "must be a number"),
        ("ENVOI_LEASE", "0", "must be more than 0"),
        ("ENVOI_LEASE", "inf", "must be a finite number"),
        ("ENVOI_LEASE", "nan", "must be a finite number"),
        ("ENVOI_LEASE", "1e12", "must be at most"),
        ("ENVOI_PAGE_PACE", "1001", "must be at most 1000"),
        ("ENVOI_PAGE_PACE", "nan", "must be a finite number"),
        ("ENVOI_CONCURRENCY", "1.5", "must be a whole number"),
        ("ENVOI_CONCURRENCY", "0", "must be at least 1"),
        ("ENVOI_LOOKS", "sesame", "must be true or false"),
        ("ENVOI_WINDOW", "sesame", "must be 'enforce', 'warn' or 'off'"),
        ("ENVOI_ALERT_COMMAND", 'mail "sesame', "must be a command, with every quote closed"),
        ("ENVOI_ALERT_COMMAND", "  ", "must be a command, with every quote closed"),
    ],
)
def test_a_malformed_setting_is_named_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, limit: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSettings) as caught:
        settings()
    (problem,) = caught.value.problems
    assert problem.field == name
    assert problem.limit.startswith(limit)
    assert "sesame" not in str(caught.value)


def test_every_malformed_setting_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVOI_LEASE", "x")
    monkeypatch.setenv("ENVOI_PAGE_CAP", "0")
    with pytest.raises(BadSettings, match=r"ENVOI_LEASE: .*; ENVOI_PAGE_CAP: "):
        settings()


def test_a_corrected_setting_is_read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVOI_LEASE", "x")
    with pytest.raises(BadSettings):
        settings()
    monkeypatch.setenv("ENVOI_LEASE", "5")
    assert settings().lease == 5.0


def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.setenv(variable(name), "")
    assert settings() == Settings()
    assert settings().own_app_secret is None


def test_secrets_show_in_no_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVOI_APP_SECRET", "sesame, sesame-2")
    monkeypatch.setenv("ENVOI_SECRET_KEYS", "sesame-1, sesame-2")
    monkeypatch.setenv("ENVOI_ALERT_COMMAND", "curl -d @- https://hooks.example/sesame")
    found = settings()
    assert [key.get_secret_value() for key in found.secret_keys] == ["sesame-1", "sesame-2"]
    assert [secret.get_secret_value() for secret in found.app_secret] == ["sesame", "sesame-2"]
    assert found.own_app_secret == found.app_secret[0]
    assert "sesame" not in repr(found)


def test_one_app_secret_is_a_list_of_one() -> None:
    assert Settings(app_secret=SecretStr("sesame")).app_secret == (SecretStr("sesame"),)


def test_a_graph_address_may_end_with_a_slash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVOI_GRAPH_URL", "http://127.0.0.1:8000/")
    assert settings().graph_url == "http://127.0.0.1:8000"
