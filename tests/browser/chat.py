"""The sandbox's page in a browser: opening a chat in it, and making the calls that it shows."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import PATIENCE_MS
from tests.integration.sandbox.client import PAGE, Client

PERSON = "7001"

expect.set_options(timeout=PATIENCE_MS)


class ChatPage:
    """The page with one chat open."""

    def __init__(self, page: Page, client: Client, page_id: str = PAGE) -> None:
        self.page, self.client, self.page_id = page, client, page_id

    def open(self, person: str = PERSON) -> None:
        """Go to a chat, and wait until it is live."""
        opened = urlencode({"page": self.page_id, "person": person})
        self.page.goto(f"http://127.0.0.1:{self.client.port}/sandbox/#{opened}")
        expect(self.page.get_by_role("status").filter(has_text="Live")).to_be_visible()
        expect(self.page.get_by_role("textbox", name="Write as")).to_be_attached()

    def send(self, message: object, person: str = PERSON) -> Any:
        """Send a message as the page's app does."""
        answer = self.client.call(recipient={"id": person}, message=message)
        assert answer.status == 200, answer.body
        return answer.json

    def act(self, action: str, person: str = PERSON) -> None:
        assert self.client.call(recipient={"id": person}, sender_action=action).status == 200

    @property
    def log(self) -> Locator:
        return self.page.get_by_role("log", name="Messages")

    @property
    def messages(self) -> Locator:
        return self.log.get_by_role("article")

    @property
    def dots(self) -> Locator:
        return self.log.get_by_role("img", name="The page is typing")

    @property
    def box(self) -> Locator:
        return self.page.get_by_role("textbox", name="Write as")

    def tab(self, name: str) -> Locator:
        """Choose what is behind the scenes."""
        self.page.get_by_role("tab", name=name).click()
        return self.page.get_by_role("tabpanel", name=name)
