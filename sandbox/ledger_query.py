"""Reading the ledger: filters, paging by number, and waiting for what is still to come."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from sandbox.ledger import Ending, Entry, Ledger

# A reader that waits is woken by the first change and looks again this much later, not once for each change of a burst.
SETTLE_SECONDS = 0.02
# And however long the ledger is, looking takes it no more than a tenth of the sandbox's time.
REST_PER_LOOK = 9.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerQuery:
    """Which entries to read; what is None does not matter.

    Attributes:
        order: by ``arrival`` (and number), or by ``delivery`` (delivered entries only, and delivery number).
        after: entries behind this number, in that order.
        limit: at most this many.
        page: id of the page.
        recipient: the value the recipient is given by.
        conversation: key of the conversation.
        step: ``message``, a sender action or ``read``.
        edge: as the entry has it.
        delivered: whether it took effect.
        ending: how the request ended.
        rule: number of the rule that hit it.
        at_least: wait until so many are there …
        wait: … but no longer than this, in seconds.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    order: Literal["arrival", "delivery"] = "arrival"
    after: Annotated[int, Field(ge=0)] = 0
    limit: Annotated[int, Field(ge=1, le=100_000)] = 1000
    page: str | None = None
    recipient: str | None = None
    conversation: str | None = None
    step: str | None = None
    edge: str | None = None
    delivered: bool | None = None
    ending: Ending | None = None
    rule: int | None = None
    at_least: Annotated[int, Field(ge=0)] = 0
    wait: Annotated[float, Field(ge=0, le=600)] = 0.0

    def read(self, ledger: Ledger) -> tuple[list[Entry], int | None]:
        """The entries asked for, and the number to go on ``after``, None at the end."""
        source = ledger.entries if self.order == "arrival" else ledger.deliveries
        found: list[Entry] = []
        for place in range(self.after, len(source)):
            if self._fits(source[place]):
                if len(found) == self.limit:
                    return found, place
                found.append(source[place])
        return found, None

    async def read_when_there(self, ledger: Ledger) -> tuple[list[Entry], int | None]:
        """Like ``read``, once ``at_least`` entries are there or ``wait`` seconds are over."""
        until = time.monotonic() + self.wait
        while True:
            began = time.monotonic()
            found, following = self.read(ledger)
            took = time.monotonic() - began
            left = until - time.monotonic()
            if len(found) >= min(self.at_least, self.limit) or left <= 0 or not await ledger.changed(left):
                return self.read(ledger) if left <= 0 else (found, following)
            await asyncio.sleep(max(SETTLE_SECONDS, took * REST_PER_LOOK))

    def _fits(self, entry: Entry) -> bool:
        return (
            (self.page is None or entry.page == self.page)
            and (self.conversation is None or entry.conversation == self.conversation)
            and (self.step is None or entry.step == self.step)
            and (self.edge is None or entry.edge == self.edge)
            and (self.delivered is None or entry.delivered == self.delivered)
            and (self.ending is None or entry.ending == self.ending)
            and (self.rule is None or entry.rule == self.rule)
            and (self.recipient is None or self.recipient in (entry.recipient or {}).values())
        )


def summary(ledger: Ledger) -> dict[str, object]:
    """Counts over the whole ledger."""
    return {
        "requests": len(ledger.entries),
        "delivered": len(ledger.deliveries),
        "delivered_by_step": Counter(str(entry.step) for entry in ledger.deliveries),
        "by_ending": Counter(entry.ending.value for entry in ledger.entries),
        "by_error": Counter(_error(entry) for entry in ledger.entries if entry.error_code is not None),
        "hit_by_rule": Counter(str(entry.rule) for entry in ledger.entries if entry.rule is not None),
        "connections": len({entry.connection for entry in ledger.entries}),
    }


def _error(entry: Entry) -> str:
    return str(entry.error_code) if entry.error_subcode is None else f"{entry.error_code}/{entry.error_subcode}"
