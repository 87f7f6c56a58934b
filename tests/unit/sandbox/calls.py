"""Calls as a client would make them, for the checks."""

from __future__ import annotations

from sandbox.call import Call
from sandbox.multipart import File
from sandbox.pages import Page, Platform

MESSENGER = Page("1001")
INSTAGRAM = Page("2002", Platform.INSTAGRAM)
FEEDBACK_FORM: dict[str, object] = {
    "template_type": "customer_feedback",
    "title": "How was it?",
    "feedback_screens": [{"questions": [{"id": "q_1", "type": "csat"}]}],
    "business_privacy": {"url": "https://example.com/privacy"},
}


def call(*, files: tuple[File, ...] = (), **parameters: object) -> Call:
    """A valid message, with other parameters in their place; None leaves one out."""
    usual: dict[str, object] = {
        "recipient": {"id": "7001"},
        "message": {"text": "hello"},
        "messaging_type": "RESPONSE",
    }
    return Call.of({name: value for name, value in (usual | parameters).items() if value is not None}, files)


def action(name: object, **parameters: object) -> Call:
    """A valid sender action, with other parameters in their place."""
    return Call.of({"recipient": {"id": "7001"}, "sender_action": name} | parameters)
