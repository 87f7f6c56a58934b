"""``pages add`` and ``rotate`` ask Graph about the token: a real sandbox answers."""

from __future__ import annotations

import time

import pytest
import redis
from sqlalchemy import Engine

from demo.ports import free_port
from tests.integration.cli.conftest import Run
from tests.integration.sandbox.client import INSTAGRAM, INSTAGRAM_TOKEN, PAGE, TOKEN, Client

OWN_APP = "1517776481860111"
APP, SECRET = "4242", "sesame-of-the-app"

pytestmark = pytest.mark.usefixtures("migrated", "queue_open")


@pytest.fixture
def graph(sandbox: Client, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setenv("ENVOI_GRAPH_URL", f"http://127.0.0.1:{sandbox.port}")
    return sandbox


@pytest.fixture
def own_app(monkeypatch: pytest.MonkeyPatch) -> None:
    """An app whose token can be made; the sandbox takes any secret of its own app."""
    monkeypatch.setenv("ENVOI_APP_ID", OWN_APP)
    monkeypatch.setenv("ENVOI_APP_SECRET", "sesame")


def kept(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM pages").scalar_one())


@pytest.mark.usefixtures("own_app")
def test_a_good_token_is_taken_without_a_word(run: Run, graph: Client, migrated: Engine) -> None:
    ran = run("pages", "add", PAGE, stdin=TOKEN.encode())
    assert ran.err == ""
    assert run("pages", "add", INSTAGRAM, "--platform", "instagram", stdin=INSTAGRAM_TOKEN.encode()).err == ""
    assert kept(migrated) == 2
    assert [entry["edge"] for entry in graph.entries()] == ["page", "debug_token"] * 2


def test_without_the_apps_id_only_whose_it_is_is_asked(run: Run, graph: Client) -> None:
    assert run("pages", "add", PAGE, stdin=TOKEN.encode()).err == ""
    assert [entry["edge"] for entry in graph.entries()] == ["page"]


@pytest.mark.usefixtures("graph")
def test_a_token_of_another_page_is_refused_and_nothing_is_kept(run: Run, migrated: Engine) -> None:
    ran = run("pages", "add", "1234", stdin=TOKEN.encode(), status=1)
    assert ran.err.startswith(f"envoi: page 1234: the token is of {PAGE} (Page {PAGE}), not of page 1234. Nothing was")
    assert kept(migrated) == 0
    assert run("pages", "add", "1234", "--no-check", stdin=TOKEN.encode()).err == ""
    assert kept(migrated) == 1


def test_a_dead_token_is_refused_with_graphs_own_words(run: Run, graph: Client, migrated: Engine) -> None:
    graph.control("POST", f"pages/{PAGE}/kill-tokens", {"subcode": 463})
    ran = run("pages", "add", PAGE, stdin=TOKEN.encode(), status=1)
    assert "Graph refuses the token (190/463: " in ran.err
    assert TOKEN not in ran.err
    assert kept(migrated) == 0


@pytest.mark.usefixtures("own_app")
def test_all_that_a_token_lacks_is_told_at_once(run: Run, graph: Client, migrated: Engine) -> None:
    lacking = {"id": PAGE, "token": "EAAlacking", "scopes": ["pages_show_list"], "app_id": 7}
    graph.control("POST", "pages", lacking)
    ran = run("pages", "add", PAGE, stdin=b"EAAlacking", status=1)
    assert f"the token is of app 7, not of app {OWN_APP}" in ran.err
    assert "the permission pages_messaging is missing" in ran.err
    assert kept(migrated) == 0


@pytest.mark.usefixtures("own_app")
def test_a_token_that_ends_soon_is_taken_with_a_warning(run: Run, graph: Client) -> None:
    soon = int(time.time()) + 3600
    graph.control("POST", "pages", {"id": PAGE, "token": "EAAshort", "expires_at": soon})
    ran = run("pages", "add", PAGE, stdin=b"EAAshort")
    assert ran.err == f"envoi: the token ends {time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime(soon))}\n"


@pytest.mark.usefixtures("graph")
@pytest.mark.parametrize("command", ["add", "rotate"])
def test_a_graph_that_does_not_answer_or_fails_keeps_nobody_from_adding_a_page(
    run: Run, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    run("pages", "add", PAGE, stdin=TOKEN.encode())
    monkeypatch.setenv("ENVOI_GRAPH_URL", f"http://127.0.0.1:{free_port()}")
    ran = run("pages", command, PAGE, stdin=TOKEN.encode())
    assert ran.err.startswith("envoi: the token was not checked, or not all of it: 127.0.0.1 did not answer")
    assert "token version 2" in ran.out


@pytest.mark.usefixtures("graph")
def test_a_rotation_checks_the_new_token_and_keeps_the_old_one_where_it_is_unfit(run: Run) -> None:
    run("pages", "add", PAGE, stdin=TOKEN.encode())
    assert "not of page" in run("pages", "rotate", PAGE, stdin=INSTAGRAM_TOKEN.encode(), status=1).err
    assert run("pages", "list", "--json").json["pages"][0]["token_version"] == 1
    assert run("pages", "rotate", PAGE, "--json", stdin=TOKEN.encode()).json["token_version"] == 2


def test_a_page_of_an_app_is_asked_about_with_that_apps_secret_at_its_own_host(
    run: Run, graph: Client, queue_open: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph.control("POST", "pages", {"id": "3003", "token": "EAAthird", "app_id": int(APP), "app_secret": SECRET})
    host = f"http://127.0.0.1:{graph.port}"
    monkeypatch.setenv("ENVOI_GRAPH_URL", "http://127.0.0.1:1")
    assert "no app 4242: add it" in run("pages", "add", "3003", "--app", APP, stdin=b"EAAthird", status=1).err
    added = run("apps", "add", APP, "--name", "shop", "--graph-url", f"{host}/", "--json", stdin=SECRET.encode())
    assert added.json == {"id": APP, "pages": []}
    assert run("pages", "add", "3003", "--app", APP, stdin=b"EAAthird").err == ""
    assert [entry["edge"] for entry in graph.entries()] == ["page", "debug_token"]
    assert queue_open.hget("{envoi}:p:3003", "ap") == APP

    (page,) = run("pages", "list", "--json").json["pages"]
    assert (page["app_id"], page["graph_url"]) == (APP, None)
    (listed,) = run("apps", "list", "--json").json["apps"]
    assert (listed["id"], listed["name"], listed["graph_url"], listed["pages"]) == (APP, "shop", host, 1)
    assert SECRET not in run("apps", "list").out

    assert "app 4242 has 1 page(s)" in run("apps", "remove", APP, status=1).err
    told = run("apps", "add", APP, "--graph-url", host, "--json", stdin=b"another")
    assert told.json == {"id": APP, "pages": ["3003"]}
    assert queue_open.hget("{envoi}:p:3003", "tv") == "2", "workers read the new secret before the next call"
    wrong = run("pages", "rotate", "3003", stdin=b"EAAthird", status=1)
    assert "Invalid appsecret_proof" in wrong.err, "a wrong secret is seen before it costs a job"
    assert "another" not in wrong.err

    run("pages", "add", "3003", "--no-check", stdin=b"EAAthird")
    assert queue_open.hget("{envoi}:p:3003", "ap") is None
    assert run("apps", "remove", APP, "--json").json == {"id": APP, "removed": True}
    assert "no app 4242" in run("apps", "remove", APP, status=1).err


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("apps", "add", "shop"), "must be Meta's number of the app"),
        (("apps", "add", APP, "--graph-url", "graph.instagram.com"), "must be an address such as"),
        (("pages", "add", PAGE, "--app", "x"), "must be Meta's number of the app"),
        (("pages", "add", PAGE, "--graph-url", "https://user:sesame@host"), "must be an address such as"),
        (("apps", "add", APP), "the secret is empty"),
    ],
)
def test_a_malformed_argument_is_refused(run: Run, arguments: tuple[str, ...], why: str) -> None:
    assert why in " ".join(run(*arguments, status=2).err.replace("│", " ").split())
