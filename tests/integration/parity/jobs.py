"""Jobs to try: whole ones for each content and recipient, each of these with one change, and any mixture of them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from hypothesis import strategies as st

from tests.integration.parity.full import combinations, full_values
from tests.integration.parity.mistakes import Change, changes
from tests.integration.parity.schema import JOB, PARAMETERS, sites
from tests.integration.parity.sides import Document

PLATFORMS = ("messenger", "instagram")
_SCHEMA = {"type": "object", "title": "Job", "properties": {name: JOB["properties"][name] for name in PARAMETERS}}
VALUES = {name: full_values(JOB["properties"][name], name) for name in PARAMETERS}
_USUAL: Document = {"recipient": {"id": "7001"}, "messaging_type": "RESPONSE", "message": {"text": "hello"}}
_COMPANY: Document = {"reply_to": {"mid": "m_1"}, "persona_id": "5", "notification_type": "REGULAR"}


@cache
def whole_jobs(platform: str) -> tuple[Document, ...]:
    """Valid jobs: one for each content and each recipient, with all that goes with it on the platform."""
    messages = [{**_USUAL, **_COMPANY, "message": message, **_kind_for(message)} for message in VALUES["message"]]
    people = [{**_USUAL, "recipient": recipient} for recipient in VALUES["recipient"]]
    tagged = [{**_USUAL, "messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}]
    return tuple(_for_instagram(job) if platform == "instagram" else job for job in (*messages, *people, *tagged))


def _kind_for(message: Document) -> Document:
    if "template" in message:
        return {"messaging_type": "UTILITY"}
    if message.get("attachment", {}).get("payload", {}).get("template_type") == "customer_feedback":
        return {"messaging_type": "MESSAGE_TAG", "tag": "CUSTOMER_FEEDBACK"}
    return {}


def _for_instagram(job: Document) -> Document:
    """Less what Instagram does not know; what is left may be refused for its content or its recipient all the same."""
    message = {name: value for name, value in job["message"].items() if name != "quick_replies"}
    if "text" in message:
        message["quick_replies"] = [{"content_type": "text", "title": "words", "payload": "words"}]
    return {name: value for name, value in job.items() if name != "persona_id"} | {"message": _fewer_buttons(message)}


def _fewer_buttons(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {name: _fewer_buttons(inner) for name, inner in value.items()}
        if isinstance(kept.get("buttons"), list):
            kept["buttons"] = [one for one in kept["buttons"] if one["type"] in ("web_url", "postback")]
        return {name: inner for name, inner in kept.items() if name != "buttons" or inner}
    return [_fewer_buttons(inner) for inner in value] if isinstance(value, list) else value


def one_change(platform: str) -> Iterator[Document]:
    """Every whole job, with each change at each place; the same change at the same kind of place is tried once."""
    tried = set()
    for job in whole_jobs(platform):
        for change in changes_of(job):
            name = (_kind_of_place(job, change), hash(repr(change.value)), change.leave_out)
            if name not in tried:
                tried.add(name)
                yield change.applied(job)


def changes_of(job: Document) -> list[Change]:
    """Every change to a job."""
    return [change for site in sites(job, _SCHEMA) for change in changes(site)]


def _kind_of_place(job: Document, change: Change) -> tuple[object, ...]:
    """A path without numbers, with the types of the objects that it leads through."""
    found: Any = job
    names: list[object] = []
    for step in change.path:
        names.append("N" if isinstance(step, int) else step)
        if isinstance(found, dict):
            names.append(found.get("template_type") or found.get("content_type") or found.get("type"))
        found = found[step] if isinstance(found, list) and isinstance(step, int) else found.get(step)
    return tuple(names)


def all_combinations(platform: str) -> Iterator[Document]:
    """Every recipient with every kind of content, messaging type, tag and company; then two contents at once."""
    contents = {content_of(job["message"]): job["message"] for job in reversed(whole_jobs(platform))}
    yield from combinations(
        {
            "recipient": VALUES["recipient"],
            "message": list(contents.values()),
            "messaging_type": [None, *VALUES["messaging_type"]],
            "tag": [None, *VALUES["tag"]],
            "persona_id": [None, "5"],
        }
    )
    yield from ({**_USUAL, **_kind_for(message), "message": message} for message in _two_contents(contents))


def content_of(message: Document) -> str:
    """The kind of content, down to the type of a template."""
    content = next(name for name in message if name not in ("quick_replies", "metadata"))
    attachment = message.get("attachment", {})
    kinds = (content, attachment.get("type"), attachment.get("payload", {}).get("template_type"))
    return " ".join(kind for kind in kinds if kind)


def _two_contents(contents: dict[str, Document]) -> list[Document]:
    found = list(contents.values())
    return [{**one, **other} for one in found for other in found if not one.keys() & other.keys() - {"metadata"}]


@st.composite
def any_jobs(draw: st.DrawFn) -> tuple[str, Document]:
    """A platform, and a job for it with up to three changes."""
    platform = draw(st.sampled_from(PLATFORMS))
    job = dict(draw(st.sampled_from(whole_jobs(platform))))
    for name in ("recipient", "messaging_type", "tag", "notification_type"):
        if draw(st.integers(0, 3)) == 0:
            job[name] = draw(st.sampled_from(VALUES[name]))
    for _ in range(draw(st.integers(0, 3))):
        change = draw(st.sampled_from(changes_of(job)))
        job = change.applied(job)
    return platform, job
