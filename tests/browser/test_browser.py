"""The browser of these tests sees what goes wrong."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.browser.conftest import PHONE, overflow


def test_errors_and_foreign_hosts_are_seen(page: Page, complaints: list[str]) -> None:
    with page.expect_console_message(), page.context.expect_event("weberror"):
        page.set_content("<title>t</title><script>console.error('spoilt'); throw new Error('broken')</script>")
    with page.expect_request("http://localhost:9/"):
        page.evaluate("fetch('http://localhost:9/').catch(() => 0)")
    assert [text for text in complaints if "spoilt" in text]
    assert [text for text in complaints if "broken" in text]
    assert [text for text in complaints if "asked another host" in text]
    complaints.clear()


def test_sideways_scroll_is_seen(page: Page) -> None:
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    page.set_content("<title>t</title><p>narrow</p>")
    assert overflow(page) == 0
    page.set_content("<title>t</title><table><tr>" + "<td>a_wide_cell_of_a_table</td>" * 9)
    assert overflow(page) > 0
