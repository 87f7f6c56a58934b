"""The two sides that must agree: the door, and the sandbox's checks behind its reading of a request's bytes."""

from __future__ import annotations

import json
import math
import warnings
from dataclasses import dataclass, replace
from typing import Any

from envoi import InvalidJob, Job
from envoi.errors import Problem
from envoi.metadata import join_metadata
from envoi.sendapi.tags import RetiredTag
from sandbox.call import Call
from sandbox.errors import GraphError
from sandbox.pages import Page, Platform
from sandbox.request import read_parameters
from sandbox.start import Start
from sandbox.world import World
from worker.steps import Step, body_of

JOB_ID = "01JDBQ8Z5V0000000000000000"
SAVED_MEDIA = "1234567890123456"  # an attachment that the page has uploaded
Document = dict[str, Any]
_PAGE_ID = "1001"
_PAGES = {"messenger": Page(_PAGE_ID), "instagram": Page(_PAGE_ID, Platform.INSTAGRAM)}


@dataclass(frozen=True)
class Verdicts:
    """What both sides say to one job."""

    problems: tuple[Problem, ...]
    refusal: GraphError | None
    body: bytes


class Sides:
    """A door and a sandbox that read the facts in the same way."""

    def __init__(self, *, tags_retired: bool = False) -> None:
        self._world = World(Start())
        self._world.switches = replace(self._world.switches, tags_retired=tags_retired)
        self._world.media._saved[SAVED_MEDIA] = (_PAGE_ID, math.inf)

    def look(self, document: Document, platform: str = "messenger", *, allow_unknown: bool = False) -> Verdicts:
        """Ask both."""
        page = _PAGES[platform]
        problems, body = at_the_door(document, page.id, platform, allow_unknown=allow_unknown)
        return Verdicts(problems, self._at_the_sandbox(body, page, allow_unknown=allow_unknown), body)

    def _at_the_sandbox(self, body: bytes, page: Page, *, allow_unknown: bool) -> GraphError | None:
        """As ``sandbox.edge`` does it, between the token and the limits."""
        world = self._world
        unknown: Any = "allow" if allow_unknown else "refuse"
        world.switches = replace(world.switches, unknown_templates=unknown)
        parameters = read_parameters(b"", "application/json", "", body)
        if parameters.malformed is not None:
            return parameters.malformed.error
        refused = world.refusal_of(Call.of(parameters.values, parameters.files), page)
        return None if refused is None else refused.error


def at_the_door(
    document: Document, page: str, platform: str, *, allow_unknown: bool = False
) -> tuple[tuple[Problem, ...], bytes]:
    """What the door says, and the body of the message call: the worker's own, or what it would have been."""
    given: Document = {"platform": platform, "allow_unknown": allow_unknown, **document}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RetiredTag)
            job = Job(page=page, **given)
    except InvalidJob as refused:
        return refused.problems, _body_all_the_same(document)
    return (), body_of(Step.MESSAGE, json.loads(job.payload(JOB_ID)))


def _body_all_the_same(document: Document) -> bytes:
    body = {"messaging_type": "RESPONSE", **document}
    for name, field in (("recipient", "id"), ("message", "text")):
        if isinstance(body.get(name), str):
            body[name] = {field: body[name]}
    message = body.get("message")
    if isinstance(message, dict) and isinstance(message.get("metadata"), str | None):
        body["message"] = {**message, "metadata": join_metadata(message.get("metadata"), JOB_ID)}
    return json.dumps(body).encode()
