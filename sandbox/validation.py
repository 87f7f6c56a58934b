"""All checks of a call, in one order.

SEND_API 11.3 orders: token, permission, throttle, recipient, shape, window and tag, media. Meta's own is not known.
Token and permission are looked at before a call exists (``admission.py``), throttles on its arrival (``limits.py``),
window and saved media where the world is known (``world.py``).
"""

from __future__ import annotations

from sandbox.call import Call
from sandbox.content import check_action, check_message, check_one_step
from sandbox.errors import Refused
from sandbox.kinds import check_shape_of_kind, check_tag
from sandbox.pages import Page
from sandbox.recipient import check_recipient
from sandbox.switches import Switches
from sandbox.utility import check_utility

_BEFORE_MESSAGE = (check_recipient, check_one_step, check_action)


def refusal_of(call: Call, page: Page, switches: Switches) -> Refused | None:
    """The first thing Meta would refuse about this call, or None."""
    try:
        for check in _BEFORE_MESSAGE:
            check(call, page)
        check_message(call, page, switches)
        check_utility(call, page)
        check_shape_of_kind(call, page)
        check_tag(call, page, switches)
    except Refused as refused:
        return refused
    return None
