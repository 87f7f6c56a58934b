from __future__ import annotations

import re
from pathlib import Path

from envoi import Job
from envoi.sendapi.recipient import KINDS
from envoi.sendapi.tags import TAGS
from worker.codes import TABLE, Class
from worker.send_api_page import send_api_page

ROOT = Path(__file__).parents[3]


def test_the_documented_send_api_is_that_of_this_version() -> None:
    written = (ROOT / "docs" / "send-api.md").read_text()
    assert written == send_api_page(), "print it anew: python -m worker.send_api_page > docs/send-api.md"


def test_the_page_has_a_row_for_every_code_and_every_tag() -> None:
    page = send_api_page()
    ranges = [(int(first), int(last)) for first, last in re.findall(r"^\| (\d+) to (\d+) \|", page, re.MULTILINE)]
    for row in TABLE:
        alone = f"| {row.code} | {'' if row.subcode is None else row.subcode} | {row.meaning} |" in page
        shared = row.subcode is None and any(first <= row.code <= last for first, last in ranges)
        assert alone or shared, row
    assert ranges == [(200, 299)]
    assert all(f"| `{tag.name}` | {tag.allowed[0]}" in page for tag in TAGS)


def test_the_page_says_what_each_class_leads_to_and_which_kinds_of_recipient_there_are() -> None:
    page = send_api_page()
    assert all(f"| {one.value} | " in page for one in Class)
    assert all(f"| `{kind}` | " in page for kind in KINDS)


def test_the_page_has_every_field_of_a_job() -> None:
    page = send_api_page()
    schema = Job.model_json_schema()
    models = [schema, *(model for name, model in schema["$defs"].items() if name != "UnknownTemplate")]
    for model in models:
        for field in model["properties"]:
            assert f"| `{field}` | " in page
    assert re.search(r"^\| `title` \| yes \| text, 1 to 65 characters \|$", page, re.MULTILINE)
    assert re.search(r"^\| `elements` \| yes \| list of 1 to 10 of: object: element \|$", page, re.MULTILINE)
