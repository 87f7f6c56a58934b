"""A real Chromium, driven by Playwright. Nothing is downloaded: it is the system's own browser.

``ENVOI_TEST_CHROMIUM`` names it where it is not in the path.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

from tests.needs import program

CHROMIUM = os.environ.get("ENVOI_TEST_CHROMIUM")  # read before the tests clear it away
PATIENCE_MS = 60_000  # for what should come at once: a busy machine is slow, and that is no fault
DESKTOP = (1280, 800)
PHONE = (360, 780)

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find_chromium() -> str:
    """The browser's program."""
    return CHROMIUM or program(*_NAMES, debian="chromium")


# Of a module, not of the session: while it is there an event loop runs in this thread, and other tests want their own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One headless browser for the tests of a module."""
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=find_chromium(), headless=True, args=list(FLAGS))
        yield found
        found.close()


@pytest.fixture
def complaints() -> list[str]:
    """What went wrong in the browser: errors in its console, scripts that failed, requests to other hosts.

    It must be empty at the end; a test that provokes some looks at them and clears the list.
    """
    return []


@pytest.fixture
def context(browser: Browser, complaints: list[str]) -> Iterator[BrowserContext]:
    """A fresh profile with a desktop's window: no cookies of another test."""
    width, height = DESKTOP
    found = browser.new_context(
        viewport={"width": width, "height": height}, locale="en-GB", timezone_id="UTC", reduced_motion="reduce"
    )
    found.set_default_timeout(PATIENCE_MS)
    found.set_default_navigation_timeout(PATIENCE_MS)

    def hear(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(f"{message.type}: {message.text}")

    def see(request: Request) -> None:
        if urlsplit(request.url).scheme in {"http", "https"} and urlsplit(request.url).hostname != "127.0.0.1":
            complaints.append(f"asked another host: {request.url}")

    found.on("console", hear)
    found.on("weberror", lambda error: complaints.append(f"script: {error.error}"))
    found.on("request", see)
    yield found
    found.close()


@pytest.fixture
def page(context: BrowserContext, complaints: list[str]) -> Iterator[Page]:
    """A tab. At the end nothing may have gone wrong in it."""
    yield context.new_page()
    assert complaints == []


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than its window: sideways scroll of the whole page."""
    found: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return found
