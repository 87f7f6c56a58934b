"""``python -m tests.browser.picture``: make docs/images/chat.png anew, of a whole Envoi at work."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from demo.ledger import Sandbox
from demo.producer import messages, person
from demo.shop import Shop, opened_shop
from demo.stack import Stack
from envoi import Envoi
from tests.browser.chat import ChatPage
from tests.browser.conftest import FLAGS, find_chromium
from tests.integration.sandbox.client import Client

TARGET = Path(__file__).parents[2] / "docs" / "images" / "chat.png"
WINDOW = (1280, 800)
PEOPLE = 8
SECRET = "sesame"


def main() -> int:
    """Play the scene and take the picture."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Stack(Path(folder), latency=0.1) as stack,
        sync_playwright() as driver,
    ):
        stack.start()
        os.environ.update({name: value for name, value in stack.environment.items() if name.startswith("ENVOI_")})
        os.environ["ENVOI_APP_SECRET"] = SECRET
        browser = driver.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        width, height = WINDOW
        context = browser.new_context(
            viewport={"width": width, "height": height}, locale="en-GB", timezone_id="UTC", reduced_motion="reduce"
        )
        page = context.new_page()
        shop = Shop(Envoi(), stack.page)
        with opened_shop(shop):
            play(stack, page, shop)
            page.screenshot(path=TARGET)
        browser.close()
    print(f"{TARGET}: {TARGET.stat().st_size // 1024} KB")
    return 0


def play(stack: Stack, page: Page, shop: Shop) -> None:
    """People get their messages; the first one writes, and looks at what there is to buy."""
    sandbox, envoi = Sandbox(stack.sandbox_url), Envoi()
    for number in range(PEOPLE):
        name, recipient = person(number)
        sandbox.meet(stack.page, recipient, name)
    envoi.send_many(job for _, job in messages(stack.page, PEOPLE, PEOPLE))
    chat = ChatPage(page, Client(int(stack.sandbox_url.rpartition(":")[2])), stack.page)
    _, first = person(0)
    chat.open(first)
    expect(chat.messages).to_have_count(1)
    sandbox.subscribe(f"{shop.address}/webhook", SECRET)
    chat.box.fill("Thank you! When will it be here?")
    chat.box.press("Enter")
    expect(chat.messages).to_have_count(3)
    sandbox.order({"match": {"step": "message"}, "fault": {"kind": "error", "code": 613}, "times": 1})
    page.get_by_role("button", name="See the catalogue").click()
    expect(chat.log.get_by_role("list", name="3 cards")).to_be_visible(timeout=120_000)
    chat.client.control("POST", "happenings", {"kind": "read", "page": stack.page, "recipient": first})
    chat.box.fill("Nice, does the tent come in green?")
    chat.box.press("Enter")
    expect(chat.dots).to_be_visible()
    chat.box.blur()


if __name__ == "__main__":
    sys.exit(main())
