"""Batches: several calls in one request (SEND_API 9). Each is answered, and in the ledger, like one that came alone."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, unquote_plus, urlencode, urlsplit

from sandbox.answers import OK, Answer
from sandbox.errors import invalid
from sandbox.request import Parameters, Target
from sandbox.shape import rows

BATCH = "batch"  # as the ledger names the edge and the step
MOST_CALLS = 50
_METHODS = ("GET", "POST", "PUT", "DELETE")
_RESULT = re.compile(r"\{result=([^:{}]{1,100}):\$\.([A-Za-z0-9_.]{1,200})\}")
_FORM = b"application/x-www-form-urlencoded"

Scope = dict[str, Any]
Perform = Callable[[Scope, bytes], Awaitable[Answer | None]]


def is_batch(target: Target, method: str, parameters: Parameters) -> bool:
    """Whether a request is one: ``POST`` to the root, with the parameter ``batch``."""
    return method == "POST" and not target.node and target.edge is None and "batch" in parameters.values


@dataclass(frozen=True, slots=True)
class Part:
    """One call of a batch.

    Attributes:
        name: by which others refer to it.
        after: names of those that have to succeed first.
        silent: its answer is left out if it succeeds: so are those of named calls, unless they ask for it.
    """

    method: str
    url: str
    body: str
    name: str | None
    after: frozenset[str]
    silent: bool


@dataclass(slots=True)
class Batch:
    """One batch.

    Attributes:
        version: of the path that it came by; a call may name another.
        token: for the calls that bring none.
        proof: ``appsecret_proof`` for these.
        with_headers: whether the headers of each answer are told.
        parts: in the order of the request.
    """

    version: str | None
    token: str
    proof: object
    with_headers: bool
    parts: list[Part]
    _done: dict[str, asyncio.Future[Answer | None]] = field(default_factory=dict)

    @classmethod
    def of(cls, target: Target, parameters: Parameters) -> Batch:
        """Read one.

        Raises:
            Refused: 100, it is not an array of 1 to 50 calls, or one of them is none; the words are ours.
        """
        values = parameters.values
        given = values["batch"]
        if isinstance(given, str):
            try:
                given = json.loads(given)
            except (ValueError, RecursionError) as error:
                raise invalid("Param batch must be a JSON array") from error
        parts: list[Part] = []
        for number, row in enumerate(rows(given, "batch", 1, MOST_CALLS)):
            parts.append(_part(row, f"batch[{number}]", frozenset(part.name for part in parts if part.name)))
        with_headers = str(values.get("include_headers", "true")).lower() not in ("false", "0")
        return cls(target.version, parameters.token or "", values.get("appsecret_proof"), with_headers, parts)

    async def run(self, perform: Perform) -> list[dict[str, object] | None]:
        """Make the calls, those that wait for no other at the same time.

        Returns:
            For each, in their order: code, headers and body; None for one that got no answer, that was not made because
            one before it failed, or whose answer is left out.
        """
        loop = asyncio.get_running_loop()
        self._done = {part.name: loop.create_future() for part in self.parts if part.name}
        answers = await asyncio.gather(*(self._one(part, perform) for part in self.parts))
        return [self._told(part, answer) for part, answer in zip(self.parts, answers, strict=True)]

    async def _one(self, part: Part, perform: Perform) -> Answer | None:
        answer = None
        try:
            before = {name: await self._done[name] for name in sorted(part.after)}
            if all(found is not None and found.status == OK for found in before.values()):
                answer = await perform(*self._request(part, before))
        finally:
            if part.name and not self._done[part.name].done():
                self._done[part.name].set_result(answer)
        return answer

    def _request(self, part: Part, before: Mapping[str, Answer | None]) -> tuple[Scope, bytes]:
        """The call as it would have come alone."""
        split = urlsplit("/" + _filled(part.url, before).lstrip("/"))
        body = part.body
        if part.after:
            body = urlencode(
                [(name, _filled(value, before)) for name, value in parse_qsl(body, keep_blank_values=True)]
            )
        path = unquote(split.path)
        own = Target.of(path).version is not None
        query = split.query + ("&" + urlencode({"appsecret_proof": self.proof}) if self.proof else "")
        scope = {
            "method": part.method,
            "path": path if own or self.version is None else f"/{self.version}{path}",
            "query_string": query.encode("utf-8", "replace"),
            "headers": [
                (b"content-type", _FORM),
                (b"authorization", f"Bearer {self.token}".encode("latin-1", "replace")),
            ],
        }
        return scope, body.encode("utf-8", "replace")

    def _told(self, part: Part, answer: Answer | None) -> dict[str, object] | None:
        if answer is None or (part.silent and answer.status == OK):
            return None
        told: dict[str, object] = {"code": answer.status}
        if self.with_headers:
            told["headers"] = [{"name": name.decode(), "value": value.decode()} for name, value in answer.headers]
        return {**told, "body": answer.body.decode()}


def _part(row: Mapping[str, object], name: str, earlier: frozenset[str]) -> Part:
    """Read one call; it may wait for earlier ones alone, so that none waits for ever (the facts do not say more)."""
    method, url, body = row.get("method", "GET"), row.get("relative_url"), row.get("body", "")
    if method not in _METHODS:
        raise invalid(f"Param {name}[method] must be one of {{{', '.join(_METHODS)}}}")
    if not isinstance(url, str) or not isinstance(body, str):
        raise invalid(f"Param {name} needs a relative_url, and a body that is a URL-encoded form")
    if "attached_files" in row:
        raise invalid(f"Param {name}[attached_files] is not available in the sandbox")
    called, depends = row.get("name"), row.get("depends_on")
    if not isinstance(called, str | None) or not isinstance(depends, str | None) or called in earlier:
        raise invalid(f"Param {name}[name] and [depends_on] must be strings, and each name must be given once")
    after = {found[1] for found in _RESULT.finditer(url + unquote_plus(body))} | ({depends} if depends else set())
    if not after <= earlier:
        raise invalid(f"Param {name}[depends_on] must be the name of an earlier call")
    silent = bool(row.get("omit_response_on_success", called is not None))
    return Part(str(method), url, body, called or None, frozenset(after), silent)


def _filled(text: str, before: Mapping[str, Answer | None]) -> str:
    """With what earlier calls answered in place of ``{result=name:$.field}``."""

    def value(match: re.Match[str]) -> str:
        answer = before.get(match[1])
        found: object = json.loads(answer.body) if answer is not None else None
        for step in match[2].split("."):
            found = found.get(step) if isinstance(found, dict) else None
        return found if isinstance(found, str) else json.dumps(found)

    return _RESULT.sub(value, text)
