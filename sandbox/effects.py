"""What a request would do, once the latency and the faults have had their say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from sandbox.call import Call
from sandbox.errors import Refused, known
from sandbox.graph_fields import Field, check_names
from sandbox.ledger import Entry
from sandbox.pages import Page
from sandbox.world import World


class Effect(Protocol):
    """What one admitted request does."""

    @property
    def call(self) -> Call:
        """What rules and latencies go by."""

    def refusal(self) -> Refused | None:
        """What speaks against it on arrival; asked once."""

    def commit(self) -> dict[str, object]:
        """Let it take effect, in one instant, and give the body of the answer.

        Raises:
            Refused: something that happened since the arrival speaks against it.
        """


@dataclass(slots=True)  # not frozen, for speed
class Sending:
    """One step, sent to a recipient."""

    world: World
    entry: Entry
    page: Page
    call: Call

    def refusal(self) -> Refused | None:
        """What the limits say (SEND_API 11.3: before all other checks), then the checks."""
        return self.world.throttled(self.page, self.call) or self.world.refusal_of(self.call, self.page)

    def commit(self) -> dict[str, object]:
        """Deliver it."""
        return self.world.commit(self.entry, self.call, self.page)


@dataclass(frozen=True, slots=True)
class Naming:
    """One read of the page itself: its id and name."""

    world: World
    page: Page
    call: Call
    fields: tuple[Field, ...]

    def refusal(self) -> Refused | None:
        """What the limits say."""
        return self.world.throttled(self.page, self.call)

    def commit(self) -> dict[str, object]:
        """Read; a page has no name here but its id's."""
        has = {"id": self.page.id, "name": f"Page {self.page.id}"}
        check_names(self.fields, has, "node type (Page)")
        return {"id": self.page.id, **{field.name: has[field.name] for field in self.fields}}


@dataclass(frozen=True, slots=True)
class Looking:
    """One read of a conversation (SEND_API 8); it has its own limit of calls, and its own permission."""

    world: World
    page: Page
    call: Call
    read: Callable[[], dict[str, object]]

    def refusal(self) -> Refused | None:
        """A permission that is missing (10), or more reads than a page may make in a second (613)."""
        if not self.world.switches.conversations_permission:
            return Refused(known(10))
        if not self.world.may_look(self.page, everyone=self.call.recipient is None):
            return Refused(known(613))
        return self.world.throttled(self.page, self.call)

    def commit(self) -> dict[str, object]:
        """Read."""
        return self.read()
