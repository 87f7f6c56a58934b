"""Where a path leads: to an edge of a page, to a thread or to a message."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from sandbox.admission import ATTACHMENTS, CONVERSATIONS, MESSAGES, check_target
from sandbox.answers import NEWEST_VERSION
from sandbox.call import READ, UPLOAD, Call
from sandbox.effects import Effect, Looking, Naming, Sending
from sandbox.graph_fields import read_fields
from sandbox.ledger import Entry
from sandbox.pages import Page
from sandbox.reading import View
from sandbox.request import Target
from sandbox.uploads import Uploading
from sandbox.world import World


@dataclass(slots=True)  # not frozen: that takes three times as long to make, on every call
class Asked:
    """One request whose token and proof are good.

    Attributes:
        world: where it arrived.
        entry: its own.
        page: whose token it bears.
        target: what its path names.
        method: HTTP method.
        values: its parameters.
        call: these as a call of the Send API.
        headers: of the request, names in lower case.
    """

    world: World
    entry: Entry
    page: Page
    target: Target
    method: str
    values: Mapping[str, object]
    call: Call
    headers: Iterable[tuple[bytes, bytes]]

    def effect(self) -> Effect:  # noqa: PLR0911  # one for each place that a path may lead to
        """What it would do.

        Raises:
            Refused: there is nothing where the path leads, or not by this method.
        """
        node, edge = self.target.node, self.target.edge
        if self.method == "GET":
            if node in ("me", self.page.id) and edge is None:
                self.entry.edge, self.entry.step = "page", READ
                return Naming(
                    self.world, self.page, Call.reading(None), read_fields(self.values.get("fields"), "id,name")
                )
            view = self._view()
            if node in ("me", self.page.id) and edge == CONVERSATIONS:
                return self._looking(CONVERSATIONS, view.conversations, self._person())
            thread = self.world.threads.by_id(self.page.id, node)
            if thread is not None and edge is None:
                return self._looking("thread", lambda: view.thread(node), thread.person)
            if thread is not None and edge == MESSAGES:
                return self._looking("thread", lambda: view.messages(node), thread.person)
            thread = self.world.threads.by_message(self.page.id, node)
            if thread is not None and edge is None:
                return self._looking("message", lambda: view.message(node), thread.person)
        if self.method == "POST" and node in ("me", self.page.id) and edge == ATTACHMENTS:
            self.entry.step = UPLOAD
            return Uploading(self.world, self.entry, self.page, self.call.as_upload())
        check_target(self.target, self.method, self.page, self.world.pages)
        return Sending(self.world, self.entry, self.page, self.call)

    def _person(self) -> str | None:
        person = self.values.get("user_id")
        return person if isinstance(person, str) else None

    def _view(self) -> View:
        until = self.world.clock.now() - self.world.switches.visible_after_seconds
        return View(self.page, self.world.threads, until, self.values, self._address())

    def _address(self) -> str:
        host = next((value for name, value in self.headers if name == b"host"), b"127.0.0.1")
        return f"http://{host.decode('latin-1')}/{self.target.version or NEWEST_VERSION}"

    def _looking(self, edge: str, read: Callable[[], dict[str, object]], person: str | None) -> Looking:
        call = Call.reading(person)
        self.entry.edge = edge
        self.entry.step = READ
        self.entry.recipient = call.recipient
        self.entry.conversation = call.conversation(self.page.id)
        return Looking(self.world, self.page, call, read)
