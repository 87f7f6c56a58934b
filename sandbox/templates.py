"""Checks of templates (SEND_API 3, Templates): each kind by its own rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from sandbox.buttons import check_buttons, check_default_action
from sandbox.errors import invalid
from sandbox.feedback import check_feedback
from sandbox.pages import Page, Platform
from sandbox.shape import address, choice, fields, rows, text
from sandbox.switches import Switches

Payload = Mapping[str, object]
_NAME = "message[attachment][payload]"
MAX_BUTTON_TEXT_CHARS = 640
INSTAGRAM_TEMPLATES = ("generic", "button", "product", "notification_messages")


def check_template(payload: Payload, page: Page, switches: Switches) -> None:
    """Refuse the payload of a template that does not keep to the rules of its kind.

    Raises:
        Refused: 100, with a subcode where one is recorded; 105 and 194 for elements and buttons.
    """
    kind = payload.get("template_type")
    text(kind, f"{_NAME}[template_type]")
    if page.platform is Platform.INSTAGRAM and kind in _CHECKS and kind not in INSTAGRAM_TEMPLATES:
        raise invalid(f"Param {_NAME}[template_type] {kind} is not available for Instagram")
    check = _CHECKS.get(kind) if isinstance(kind, str) else None
    if check is not None:
        check(payload, page)
    elif switches.unknown_templates == "refuse":
        raise invalid(f"Param {_NAME}[template_type] must be one of {{{', '.join(_CHECKS)}}}")


def _generic(payload: Payload, page: Page) -> None:
    for number, element in enumerate(rows(payload.get("elements"), f"{_NAME}[elements]", 1, 10)):
        name = f"{_NAME}[elements][{number}]"
        text(element.get("title"), f"{name}[title]", 80)
        text(element.get("subtitle"), f"{name}[subtitle]", 80, required=False)
        address(element.get("image_url"), f"{name}[image_url]", required=False)
        check_default_action(element.get("default_action"), f"{name}[default_action]")
        check_buttons(element.get("buttons"), f"{name}[buttons]", page)
        if not any(element.get(field) for field in ("subtitle", "image_url", "default_action", "buttons")):
            raise invalid(f"Param {name} must have at least one field besides title")


def _button(payload: Payload, page: Page) -> None:
    text(payload.get("text"), f"{_NAME}[text]", MAX_BUTTON_TEXT_CHARS)
    check_buttons(payload.get("buttons"), f"{_NAME}[buttons]", page, least=1)


def _media(payload: Payload, page: Page) -> None:
    for element in rows(payload.get("elements"), f"{_NAME}[elements]", 1, 1):
        name = f"{_NAME}[elements][0]"
        choice(element.get("media_type"), f"{name}[media_type]", ("image", "video"))
        given = [field for field in ("attachment_id", "url") if element.get(field)]
        if len(given) != 1:
            raise invalid(f"Param {name} must have one of attachment_id and url")
        text(element[given[0]], f"{name}[{given[0]}]")
        if given[0] == "url" and not _is_facebook(str(element["url"])):
            raise invalid(f"Param {name}[url] must be a Facebook URL")
        check_buttons(element.get("buttons"), f"{name}[buttons]", page)


def _is_facebook(url: str) -> bool:
    """SEND_API 3: "`attachment_id` or a Facebook URL"."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and f".{host}".endswith(".facebook.com")


def _receipt(payload: Payload, page: Page) -> None:  # noqa: ARG001  # every check has the same shape
    for field in ("recipient_name", "order_number", "currency", "payment_method"):
        text(payload.get(field), f"{_NAME}[{field}]")
    summary = fields(payload.get("summary"), f"{_NAME}[summary]")
    if summary.get("total_cost") in (None, ""):
        raise invalid(f"Param {_NAME}[summary][total_cost] is required")
    rows(payload.get("elements"), f"{_NAME}[elements]", 0, 100)


def _product(payload: Payload, page: Page) -> None:  # noqa: ARG001  # every check has the same shape
    for number, element in enumerate(rows(payload.get("elements"), f"{_NAME}[elements]", 1, 10)):
        text(element.get("id"), f"{_NAME}[elements][{number}][id]")


def _coupon(payload: Payload, page: Page) -> None:  # noqa: ARG001  # every check has the same shape
    text(payload.get("title"), f"{_NAME}[title]")
    address(payload.get("coupon_url"), f"{_NAME}[coupon_url]", required=False)


def _feedback(payload: Payload, page: Page) -> None:  # noqa: ARG001  # every check has the same shape
    check_feedback(payload, _NAME)


def _image_grid(payload: Payload, page: Page) -> None:
    given = [field for field in ("images", "elements") if payload.get(field) is not None]
    if len(given) != 1:
        raise invalid(f"Param {_NAME} must have one of images and elements")
    rows(payload[given[0]], f"{_NAME}[{given[0]}]", 2, 6)
    text(payload.get("title"), f"{_NAME}[title]", 45, required=False)
    text(payload.get("subtitle"), f"{_NAME}[subtitle]", 80, required=False)
    check_buttons(payload.get("buttons"), f"{_NAME}[buttons]", page)


def _opt_in(payload: Payload, page: Page) -> None:  # noqa: ARG001  # every check has the same shape
    text(payload.get("title"), f"{_NAME}[title]", 65)
    text(payload.get("payload"), f"{_NAME}[payload]")


_CHECKS: Mapping[str, Callable[[Payload, Page], None]] = {
    "generic": _generic,
    "button": _button,
    "media": _media,
    "receipt": _receipt,
    "product": _product,
    "coupon": _coupon,
    "customer_feedback": _feedback,
    "image_grid": _image_grid,
    "one_time_notif_req": _opt_in,
    "notification_messages": _opt_in,
}
