"""What the door accepts the sandbox accepts, and what the one refuses the other refuses, for every rule both know.

Both are made from the same facts and share no code. ``ENVOI_TEST_EXAMPLES`` sets how many mixtures are tried, and lets
chance choose them.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from envoi.sendapi.recipient import KINDS
from envoi.sendapi.tags import RETIRED
from envoi.sendapi.templates import TEMPLATE_TYPES
from tests.integration.parity.jobs import PLATFORMS, all_combinations, any_jobs, content_of, one_change, whole_jobs
from tests.integration.parity.one_sided import DOOR_RULES, SANDBOX_RULES, difference
from tests.integration.parity.sides import Document, Sides, at_the_door
from tests.integration.sandbox.client import INSTAGRAM_TOKEN, TOKEN, Client, json_headers, sandbox_process

EXAMPLES = int(os.environ.get("ENVOI_TEST_EXAMPLES", "400"))
MEDIA = {"audio", "file", "image", "video"}
ON_INSTAGRAM = {"template generic", "template button", "template product", "MEDIA_SHARE", "like_heart"}
ON_MESSENGER = {f"template {kind}" for kind in TEMPLATE_TYPES}


def compare(sides: Sides, document: Document, platform: str) -> tuple[bool, tuple[object, ...]]:
    """Whether the door accepts, and the rules that excuse a difference; a difference without one fails."""
    found = sides.look(document, platform)
    told = difference(document, found.problems, found.refusal)
    assert not told.mistakes, f"{told.mistakes} of {json.dumps(document)[:2000]} on {platform}"
    return not found.problems, told.allowed


@pytest.mark.parametrize("platform", PLATFORMS)
def test_whole_jobs_pass_on_both_sides(platform: str) -> None:
    sides = Sides()
    passed = [job for job in whole_jobs(platform) if not sides.look(job, platform).problems]
    assert [job for job in passed if sides.look(job, platform).refusal] == []
    attachments = MEDIA | (ON_INSTAGRAM if platform == "instagram" else ON_MESSENGER)
    contents = {"text", "attachments", "sticker_id", *(f"attachment {kind}" for kind in attachments)}
    contents |= {"template"} if platform == "messenger" else set()
    assert {content_of(job["message"]) for job in passed} == contents
    people = {"id", "comment_id"} if platform == "instagram" else {*KINDS, "name"}
    assert {name for job in passed for name in job["recipient"]} == people


def test_each_change_of_a_whole_job_is_judged_alike_and_each_rule_of_one_side_is_needed() -> None:
    sides = Sides(tags_retired=True)
    judged: Counter[bool] = Counter()
    excused: set[object] = set()
    for platform in PLATFORMS:
        for document in one_change(platform):
            accepted, rules = compare(sides, document, platform)
            judged[accepted] += 1
            excused |= set(rules)
    assert judged[True] > 1000, judged
    assert judged[False] > 5000, judged
    for document in all_combinations("messenger"):
        excused |= set(compare(sides, document, "messenger")[1])
    needless = [rule for rule in (*DOOR_RULES, *SANDBOX_RULES) if rule not in excused]
    assert not needless, needless


def test_every_combination_of_parameters_is_judged_alike() -> None:
    sides = Sides()
    judged: Counter[tuple[str, bool]] = Counter()
    for platform in PLATFORMS:
        for document in all_combinations(platform):
            accepted, _ = compare(sides, document, platform)
            judged[platform, accepted] += 1
    assert min(judged.values()) > 50, judged


def test_tags_that_are_refused_as_retired_are_refused_by_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVOI_RETIRED_TAGS", "refuse")
    sides = Sides(tags_retired=True)
    tagged = [document for document in all_combinations("messenger") if document.get("tag") in RETIRED]
    for document in tagged[::5]:  # one of each
        found = sides.look(document, "messenger")
        assert SANDBOX_RULES[1] not in difference(document, found.problems, found.refusal).allowed


@pytest.mark.timeout(3600 if "ENVOI_TEST_EXAMPLES" in os.environ else 300)
@given(any_jobs())
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize="ENVOI_TEST_EXAMPLES" not in os.environ,
    suppress_health_check=list(HealthCheck),
)
def test_any_mixture_is_judged_alike(made: tuple[str, Document]) -> None:
    platform, document = made
    compare(Sides(), document, platform)


def test_an_unknown_template_passes_on_both_sides_where_it_is_asked_for() -> None:
    payload = {"template_type": "newer_than_us", "title": "x"}
    job = {"recipient": {"id": "7001"}, "message": {"attachment": {"type": "template", "payload": payload}}}
    for allow in (False, True):
        found = Sides().look(job, allow_unknown=allow)
        assert (not found.problems, found.refusal is None) == (allow, allow)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Client]:
    with sandbox_process(tmp_path) as (_, client):
        yield client


def test_over_http_the_sandbox_says_what_it_says_in_this_process(sandbox: Client) -> None:
    """So that the thousands of cases above speak of the sandbox that clients meet."""
    tokens = {"messenger": TOKEN, "instagram": INSTAGRAM_TOKEN}
    told: Counter[int] = Counter()
    for platform in PLATFORMS:
        tried = [*whole_jobs(platform), *list(one_change(platform))[::100]]
        for document in tried:
            here = Sides(tags_retired=True).look(document, platform)
            answer = sandbox.ask("POST", "/v25.0/me/messages", here.body, json_headers(tokens[platform]))
            if "1234567890123456" in str(document) and "attachment_id" in str(document):
                continue  # an upload that this sandbox has not seen
            there = None if answer.status == 200 else answer.json["error"]["message"]
            assert there == (here.refusal and here.refusal.message), document
            told[answer.status] += 1
    assert min(told[200], told[400]) > 10, told


def test_a_difference_is_found() -> None:
    """A job that only one side would refuse, were a limit one character off."""
    problems, _ = at_the_door({"recipient": "7001", "message": "x" * 2001}, "1001", "messenger")
    (mistake,) = difference({}, problems, None).mistakes
    assert "message.text: at most 2000 characters" in mistake
