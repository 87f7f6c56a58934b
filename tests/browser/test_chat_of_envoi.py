"""The sandbox's page while a whole Envoi sends to the person: scheduler, worker and sandbox as processes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from demo.ledger import Sandbox
from demo.shop import Shop, opened_shop
from demo.stack import Stack
from envoi import Envoi
from envoi import settings as envoi_settings
from tests.acceptance.ledger import control
from tests.acceptance.quick_stack import QuickStack
from tests.browser.chat import PERSON, ChatPage
from tests.integration.sandbox.client import Client
from tests.integration.sandbox.receiver import receiver

# How long the message call takes, so that the dots are there to be seen on a machine that stands still for seconds.
SEEN_SECONDS = 6.0
SECRET = "sesame"
# Writes down what comes and goes in the chat.
WATCH = """() => {
  window.story = [];
  const tell = (what) => window.story.at(-1) !== what && window.story.push(what);
  const kind = (node) => node.classList?.contains('typing') ? 'dots' : node.matches?.('article') ? 'bubble' : null;
  new MutationObserver((changes) => changes.forEach((change) => {
    change.removedNodes.forEach((node) => kind(node) === 'dots' && tell('no dots'));
    change.addedNodes.forEach((node) => kind(node) && tell(kind(node)));
  })).observe(document.querySelector('#log'), {childList: true});
}"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with QuickStack(tmp_path_factory.mktemp("stack")) as started:
        started.start()
        yield started


@pytest.fixture
def chat(page: Page, stack: Stack) -> ChatPage:
    return ChatPage(page, Client(int(stack.sandbox_url.rpartition(":")[2])), stack.page)


@pytest.fixture
def envoi(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Envoi:
    for name, value in stack.environment.items():
        if name.startswith("ENVOI_"):
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("ENVOI_APP_SECRET", SECRET)
    envoi_settings.settings.cache_clear()
    return Envoi()


def test_the_demonstration_s_shop_answers_who_writes_on_the_page(chat: ChatPage, stack: Stack, envoi: Envoi) -> None:
    shop = Shop(envoi, stack.page)
    with opened_shop(shop):
        Sandbox(stack.sandbox_url).subscribe(f"{shop.address}/webhook", SECRET)
        chat.open("7009")
        chat.box.fill("Hello!")
        chat.box.press("Enter")
        chat.page.get_by_role("group", name="Quick replies").get_by_role("button", name="See the catalogue").click()
        cards = chat.log.get_by_role("list", name="3 cards")
        expect(cards.get_by_role("img", name="Blue tent")).to_have_js_property("naturalWidth", 480)
        cards.get_by_role("button", name="Order it").first.click()
        expect(chat.messages.last).to_contain_text("Receipt for you")
        expect(chat.messages.last.locator(".mark")).to_have_text("Seen")
        control(stack.sandbox_url, "PUT", "webhooks", {"url": None})


def test_a_conversation_from_the_dots_to_a_refused_call(
    chat: ChatPage, stack: Stack, envoi: Envoi, tmp_path: Path
) -> None:
    # One story: starting a whole Envoi takes longer than any part of it.
    control(stack.sandbox_url, "PUT", "latency", {"steps": {"message": SEEN_SECONDS}})
    chat.open()
    chat.page.evaluate(WATCH)
    envoi.send(stack.page, PERSON, "Your parcel has arrived.")
    expect(chat.dots).to_be_visible()
    expect(chat.messages).to_contain_text("Your parcel has arrived.")
    expect(chat.dots).to_have_count(0)
    assert chat.page.evaluate("window.story") in (["dots", "bubble", "no dots"], ["dots", "no dots", "bubble"])
    chat.tab("Calls").get_by_label("Only this person").check()
    calls = chat.tab("Calls").get_by_role("listitem")
    expect(calls.locator(".step")).to_have_text(["typing_off", "message", "typing_on"])
    expect(calls.locator(".status")).to_have_text(["200", "200", "200"])
    assert len(chat.page.screenshot(path=tmp_path / "chat.png")) > 20_000

    control(stack.sandbox_url, "PUT", "latency", {})
    with receiver() as app:
        control(stack.sandbox_url, "PUT", "webhooks", {"url": app.url, "app_secret": SECRET, "echo": None})
        chat.box.fill("Where is it?")
        chat.box.press("Enter")
        expect(chat.page.locator("#window")).to_contain_text("Window open")
        (webhook,) = app.wait_for(1)
        assert webhook.signed_with(SECRET)
        assert webhook.event["message"]["text"] == "Where is it?"
    envoi.action(stack.page, PERSON, "mark_seen")
    expect(chat.messages.filter(has_text="Where is it?")).to_contain_text("Seen by the page")

    chat.tab("Faults").get_by_role("button", name="Outside the window").click()
    expect(chat.page.get_by_role("list", name="Faults in force")).to_contain_text("struck 0 of 1")
    envoi.send(stack.page, PERSON, "never to be seen")
    refused = chat.tab("Calls").get_by_role("listitem").filter(has_text=re.compile("400 · 10/2018278"))
    refused.locator("summary").click()
    expect(refused.locator("pre").first).to_contain_text("never to be seen")
    expect(refused.locator("pre").last).to_contain_text("outside of allowed window")
    expect(refused).to_contain_text("rule 1")
    expect(chat.messages.filter(has_text="never to be seen")).to_have_count(0)
    token = stack._token
    assert token not in chat.page.content()
