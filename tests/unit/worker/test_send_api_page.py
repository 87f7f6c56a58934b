from __future__ import annotations

from pathlib import Path

from envoi.sendapi.tags import TAGS
from worker.codes import TABLE
from worker.send_api_page import send_api_page

ROOT = Path(__file__).parents[3]


def test_the_documented_send_api_is_that_of_this_version() -> None:
    written = (ROOT / "docs" / "send-api.md").read_text()
    assert written == send_api_page(), "print it anew: python -m worker.send_api_page > docs/send-api.md"


def test_the_page_has_a_row_for_every_code_and_every_tag() -> None:
    page = send_api_page()
    assert all(
        f"| {row.code} | {'' if row.subcode is None else row.subcode} | {row.meaning} |" in page for row in TABLE
    )
    assert all(f"| `{tag.name}` | {tag.allowed[0]}" in page for tag in TAGS)
