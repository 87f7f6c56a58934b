"""Flower's own pages in a browser: jobs are tasks there, workers are workers, and nothing of a message shows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Page, expect

from demo.stack import Stack
from envoi import Envoi
from tests.acceptance.flower import PASSWORD, USER, Flower
from tests.acceptance.ledger import control
from tests.acceptance.quick_stack import QuickStack
from tests.browser.conftest import PATIENCE_MS
from tests.waiting import wait_until_equal

SECRET = "the password is swordfish"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """An Envoi of one worker."""
    folder: Path = tmp_path_factory.mktemp("flower")
    with QuickStack(folder, latency=0.02) as made:
        made.start(workers=1)
        yield made


@pytest.fixture(scope="module")
def flower(stack: Stack) -> Iterator[Flower]:
    """Flower beside it."""
    with Flower(stack) as started:
        started.wait_for_workers(1)
        yield started


@pytest.fixture
def operator(browser: Browser) -> Iterator[Page]:
    """A tab of somebody who knows Flower's password."""
    context = browser.new_context(http_credentials={"username": USER, "password": PASSWORD})
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


def at(flower: Flower, path: str) -> str:
    return f"http://127.0.0.1:{flower.port}{path}"


def test_nobody_sees_it_without_the_password(browser: Browser, flower: Flower) -> None:
    context = browser.new_context()
    with pytest.raises(Error, match="ERR_INVALID_AUTH_CREDENTIALS"):
        context.new_page().goto(at(flower, "/tasks"))
    context.close()


def test_jobs_are_rows_of_the_list_of_tasks_with_their_message_ids_and_errors(
    stack: Stack, flower: Flower, operator: Page
) -> None:
    envoi = Envoi(stack.redis_url)
    refused = {"step": "message", "recipient": "7000000000000002"}
    control(stack.sandbox_url, "POST", "rules", {"match": refused, "fault": {"kind": "error", "code": 100}})
    sent, failed = (envoi.send(stack.page, f"700000000000000{person}", SECRET) for person in (1, 2))
    message_id = envoi.wait(sent, 60).message_id
    envoi.wait(failed, 60)
    assert message_id
    wait_until_equal(
        lambda: [flower.info(job).get("state") for job in (sent, failed)], ["SUCCESS", "FAILURE"], "both are told"
    )

    operator.goto(at(flower, "/tasks"))
    table = operator.locator("#tasks-table")
    row = table.get_by_role("row").filter(has_text=sent)
    expect(row).to_contain_text("envoi.send")
    expect(row).to_contain_text("SUCCESS")
    expect(table.get_by_role("row").filter(has_text=failed)).to_contain_text("FAILURE")
    expect(table.get_by_role("row").filter(has_text="envoi.send")).to_have_count(2)  # bells are not shown
    assert SECRET not in operator.content()

    operator.goto(at(flower, f"/task/{sent}"))
    expect(operator.locator("body")).to_contain_text(message_id)
    operator.goto(at(flower, f"/task/{failed}"))
    expect(operator.locator("body")).to_contain_text("Graph error 100")
    assert SECRET not in operator.content()


def test_the_worker_is_listed_as_online(stack: Stack, flower: Flower, operator: Page) -> None:
    operator.goto(at(flower, "/workers"))
    row = operator.locator("#workers-table").get_by_role("row").filter(has_text=f"envoi-{stack.child('worker').pid}")
    expect(row).to_contain_text("Online")
