"""What happens to a call: the latency, the fault if one was ordered, the step taking effect, the answer."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.answers import Answer, Answering
from sandbox.connection import Connection
from sandbox.effects import Effect
from sandbox.errors import Refused
from sandbox.faults import BadGateway, ErrorAnswer, Fault, Garbage, Hold, NoMessageId, Reset, Slow
from sandbox.ledger import Ending, Entry
from sandbox.pages import Page
from sandbox.waits import Waits
from sandbox.world import World


@dataclass(frozen=True, slots=True)
class Performance:
    """One admitted call."""

    world: World
    waits: Waits
    connection: Connection
    entry: Entry
    page: Page
    effect: Effect
    answering: Answering

    async def run(self) -> Answer | None:
        """Carry the call out; a client that hangs up meanwhile stops nothing, as with Meta.

        Returns:
            What to answer, or None where the end was ordered to have no answer; the ledger then knows how it ended.

        Raises:
            Stopped: the sandbox stops.
        """
        # Both before the first wait: given a seed, the order of arrival alone decides what is hit.
        refusal = self.effect.refusal()
        rule = self.world.rules.choose(self.page.id, self.effect.call, deliverable=refusal is None)
        if rule is not None:
            self.entry.rule = rule.number
        self.world.ledger.noted(self.entry)
        await self.waits.sleep(self.world.latency.seconds(self.effect.call.step, self.world.draw))
        try:
            if refusal is not None and rule is None:
                raise refusal
            if rule is None:
                return self.answering.accepted(await self._commit())
            return await self._fault(rule.order.fault, refusal)
        except Refused as refused:
            return self.answering.refused(refused.error)

    async def _commit(self) -> dict[str, object]:
        body = self.effect.commit()
        told = self.world.webhooks.awaited(body.get("message_id"))
        if told is not None:
            await told.wait()
        return body

    async def _fault(self, fault: Fault, refusal: Refused | None) -> Answer | None:
        body = await self._commit() if fault.delivered else None
        await self.waits.sleep(fault.seconds)
        match fault:
            case Slow():
                if refusal is not None:
                    raise refusal
                return self.answering.accepted(await self._commit() if body is None else body)
            case ErrorAnswer():
                return self.answering.refused(fault.error())
            case BadGateway():
                return self.answering.bad_gateway()
            case Garbage():
                return self.answering.garbage()
            case NoMessageId():
                kept = {} if body is None else body
                return self.answering.accepted({name: kept[name] for name in kept if name != "message_id"})
            case Reset():
                await self._end(Ending.RESET)
            case Hold():
                await self._end(Ending.HELD)
        return None

    async def _end(self, ending: Ending) -> None:
        up = self.connection.up
        if ending is Ending.RESET:
            # Told before the client can know: it may ask the ledger at once.
            self.world.ledger.end(self.entry, Ending.RESET if up else Ending.GONE)
            await self.connection.reset()
        else:
            await self.waits.hold(self.connection)
            self.world.ledger.end(self.entry, ending)
