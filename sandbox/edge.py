"""The Graph API over HTTP: from the bytes of a request to the bytes of an answer, with an entry in the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.types import Receive, Scope, Send

from sandbox.admission import check_proof, edge_name
from sandbox.answers import Answer, Answering
from sandbox.batch import BATCH, Batch, is_batch
from sandbox.call import Call
from sandbox.connection import Connection, connection_of
from sandbox.edges import Asked
from sandbox.errors import Refused, known
from sandbox.ledger import Ending, Entry
from sandbox.pages import Page
from sandbox.performance import Performance
from sandbox.request import Parameters, Target, read_parameters
from sandbox.sent_message import APP_ID
from sandbox.tokens import NODE as DEBUG_TOKEN
from sandbox.tokens import debug_token
from sandbox.waits import Stopped
from sandbox.world import Sandbox, World

# SEND_API 3: 25 MB a file; with the form around it. What goes beyond is read and dropped, and refused in the end.
MAX_BODY_BYTES = 32 * 1024 * 1024


@dataclass(slots=True)  # not frozen, for speed
class Heard:
    """A request as it was read: whose bytes are in order is looked at later.

    Attributes:
        headers: names in lower case.
    """

    method: str
    target: Target
    parameters: Parameters
    headers: Iterable[tuple[bytes, bytes]]

    @classmethod
    def of(cls, scope: Mapping[str, Any], body: bytes) -> Heard:
        """Read one: what ASGI calls its scope, and the body."""
        return cls(scope["method"], Target.of(scope["path"]), _parameters(scope, body), scope["headers"])


class Edge:
    """Every path but the sandbox's own."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        world = self._sandbox.world
        connection = connection_of(scope)
        entry = world.ledger.arrive(connection.number, scope["method"], world.clock.now())
        body = await _whole_body(receive)
        if body is None:
            world.ledger.end(entry, Ending.GONE)
            return
        heard = Heard.of(scope, body)
        try:
            work = self._batch if is_batch(heard.target, heard.method, heard.parameters) else self._answer
            answer = await work(world, connection, entry, heard)
        except Stopped:
            await connection.reset()
            world.ledger.end(entry, Ending.HELD)
            return
        if answer is not None:
            await _write(world, connection, entry, answer, send)

    async def _batch(self, world: World, connection: Connection, entry: Entry, heard: Heard) -> Answer | None:
        """Make the calls of a batch, each with an entry of its own."""

        async def perform(scope: dict[str, Any], body: bytes) -> Answer | None:
            inner = world.ledger.arrive(connection.number, scope["method"], world.clock.now())
            answer = await self._answer(world, connection, inner, Heard.of(scope, body))
            if answer is not None:
                _note_answer(world, inner, answer)
                world.ledger.end(inner, Ending.ANSWERED)
            return answer

        entry.edge = BATCH
        entry.version = heard.target.version
        try:
            page = world.pages.owner(heard.parameters.token)
            entry.page = page.id
            check_proof(page, heard.parameters)
            batch = Batch.of(heard.target, heard.parameters)
        except Refused as refused:
            return Answering(world, heard.target.version).refused(refused.error)
        return Answering(world, heard.target.version, page).accepted(await batch.run(perform))

    async def _answer(self, world: World, connection: Connection, entry: Entry, heard: Heard) -> Answer | None:
        target, parameters, method = heard.target, heard.parameters, heard.method
        call = Call.of(parameters.values, parameters.files)
        _note(entry, target, call)
        page: Page | None = None
        try:
            if target.node == DEBUG_TOKEN and target.edge is None and method == "GET":
                entry.edge = DEBUG_TOKEN
                told = debug_token(world.pages, parameters, APP_ID, self._sandbox.start.app_secret)
                return Answering(world, target.version).accepted(told)
            page = world.pages.owner(parameters.token)
            entry.page = page.id
            entry.conversation = call.conversation(page.id)
            check_proof(page, parameters)
            asked = Asked(world, entry, page, target, method, parameters.values, call, heard.headers)
            effect = asked.effect()
            if parameters.malformed is not None:
                raise parameters.malformed
        except Refused as refused:
            await self._sandbox.waits.sleep(world.latency.seconds(None, world.draw))
            return Answering(world, target.version, page).refused(refused.error)
        answering = Answering(world, target.version, page)
        return await Performance(world, self._sandbox.waits, connection, entry, page, effect, answering).run()


async def _whole_body(receive: Receive) -> bytes | None:
    """The body, one byte more than allowed of one that is too long; None if the client hung up before its end."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part: bytes = message.get("body", b"")
        if part and size <= MAX_BODY_BYTES:
            parts.append(part[: MAX_BODY_BYTES + 1 - size])
        size += len(part)
        if not message.get("more_body"):
            return b"".join(parts)


def _parameters(scope: Mapping[str, Any], body: bytes) -> Parameters:
    headers = dict(scope["headers"])
    content_type = headers.get(b"content-type", b"").decode("latin-1")
    authorization = headers.get(b"authorization", b"").decode("latin-1")
    if len(body) <= MAX_BODY_BYTES:
        return read_parameters(scope["query_string"], content_type, authorization, body)
    without_body = read_parameters(scope["query_string"], "", authorization, b"")
    return Parameters(without_body.values, without_body.token, Refused(known(100, 2018109)))


def _note(entry: Entry, target: Target, call: Call) -> None:
    entry.version = target.version
    entry.edge = edge_name(target)
    entry.recipient = call.recipient
    entry.step = call.step
    entry.text = call.text_of("text")
    entry.metadata = call.text_of("metadata")
    entry.parameters = {name: value for name, value in call.parameters.items() if name != "recipient"}


async def _write(world: World, connection: Connection, entry: Entry, answer: Answer, send: Send) -> None:
    if not connection.up:
        world.ledger.end(entry, Ending.GONE)
        return
    _note_answer(world, entry, answer)
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    await send({"type": "http.response.body", "body": answer.body})
    world.ledger.end(entry, Ending.ANSWERED)


def _note_answer(world: World, entry: Entry, answer: Answer) -> None:
    entry.answered_at = world.clock.now()
    entry.http_status = answer.status
    world.ledger.answered(entry, answer.body)
    entry.fbtrace_id = answer.fbtrace_id
    if answer.error is not None:
        entry.error_code, entry.error_subcode = answer.error.code, answer.error.subcode
