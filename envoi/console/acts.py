"""What operators do with conversations, pages and broadcasts."""

from __future__ import annotations

from starlette.responses import Response

from envoi.broadcast.store import Broadcast
from envoi.cli.failures import plain
from envoi.console.acting import Act, perform
from envoi.console.ask import Ask
from envoi.console.conversation import whose_of
from envoi.console.house import House
from envoi.console.job_acts import number_of
from envoi.console.notes import Note


def on_conversation(house: House, ask: Ask) -> Response:
    """Hold, release or clear a conversation."""
    what = "Cancel every job of this conversation whose message call has not begun, scheduled ones too?"
    return perform(house, ask, _ON_CONVERSATION, {"cancel-all": what}.get)


def on_page(house: House, ask: Ask) -> Response:
    """Pause or resume a page."""
    return perform(house, ask, _ON_PAGE)


def on_broadcast(house: House, ask: Ask) -> Response:
    """Pause, resume or cancel a broadcast."""
    what = "Cancel this broadcast? It ends for good; who has got the message has got it."
    return perform(house, ask, _ON_BROADCAST, {"cancel": what}.get, of="broadcast-")


def _hold(house: House, ask: Ask) -> Note:
    whose = whose_of(ask.form)
    house.client.hold(whose.page, {whose.kind: whose.recipient})
    return Note("ok", "Held: nothing begins in this conversation until it is released")


def _release(house: House, ask: Ask) -> Note:
    whose = whose_of(ask.form)
    changed = house.client.release(whose.page, {whose.kind: whose.recipient})
    return Note("ok", "Released: what waits goes on" if changed else "It was not held")


def _cancel_all(house: House, ask: Ask) -> Note:
    whose = whose_of(ask.form)
    found = house.client.cancel_all(whose.page, {whose.kind: whose.recipient})
    going = (f"still under way: {found.going_on}",) if found.going_on else ()
    return Note("ok", f"Cancelled {number_of(found.cancelled)}", going, found.going_on)


def _pause(house: House, ask: Ask) -> Note:
    page = ask.form.get("page")
    house.pages.pause(page, plain(ask.form.get("reason")) or "by an operator")
    return Note("ok", f"Page {page} is paused; its jobs wait")


def _resume(house: House, ask: Ask) -> Note:
    page = ask.form.get("page")
    house.pages.resume(page)
    return Note("ok", f"Page {page} sends again")


def _pause_broadcast(house: House, ask: Ask) -> Note:
    return _moved(house.broadcasts.pause(ask.form.get("broadcast")))


def _resume_broadcast(house: House, ask: Ask) -> Note:
    return _moved(house.broadcasts.resume(ask.form.get("broadcast")))


def _cancel_broadcast(house: House, ask: Ask) -> Note:
    return _moved(house.broadcasts.cancel(ask.form.get("broadcast")))


def _moved(broadcast: Broadcast) -> Note:
    return Note("ok", f"The broadcast is {broadcast.state}")


_ON_CONVERSATION: dict[str, Act] = {"hold": _hold, "release": _release, "cancel-all": _cancel_all}
_ON_PAGE: dict[str, Act] = {"pause": _pause, "resume": _resume}
_ON_BROADCAST: dict[str, Act] = {"pause": _pause_broadcast, "resume": _resume_broadcast, "cancel": _cancel_broadcast}
