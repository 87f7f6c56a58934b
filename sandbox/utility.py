"""Checks of the utility template: at the top or in the message, and never without its messaging type (SEND_API 3)."""

from __future__ import annotations

from sandbox.call import MESSAGE, Call
from sandbox.errors import invalid
from sandbox.pages import Page
from sandbox.shape import fields, rows, text

MOST_COMPONENTS = 100  # ours: the facts give no bound


def check_utility(call: Call, page: Page) -> None:  # noqa: ARG001  # every check has the same shape
    """Refuse UTILITY without a template, a template without UTILITY, and a template that names no language.

    Raises:
        Refused: 100.
    """
    if call.step != MESSAGE:
        return
    template, name = call.parameters.get("template"), "template"
    if template is None:
        template, name = call.message.get("template"), "message[template]"
    utility = call.parameters.get("messaging_type") == "UTILITY"
    if template in (None, {}):
        if utility:
            raise invalid("Param template is required with messaging_type UTILITY")
        return
    if not utility:
        raise invalid(f"Param {name} needs messaging_type UTILITY")
    given = fields(template, name)
    text(given.get("name"), f"{name}[name]")
    text(fields(given.get("language"), f"{name}[language]").get("code"), f"{name}[language][code]")
    rows(given.get("components"), f"{name}[components]", 0, MOST_COMPONENTS)
