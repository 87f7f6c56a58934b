"""``GET /debug_token``: what Graph says about a token (SEND_API 6)."""

from __future__ import annotations

from sandbox.errors import Refused, invalid, known
from sandbox.pages import Page, Pages
from sandbox.request import Parameters

NODE = "debug_token"
_SCOPES = ["pages_messaging", "pages_manage_metadata", "pages_read_engagement", "pages_show_list"]
_INSTAGRAM_SCOPES = ["instagram_basic", "instagram_manage_messages", "pages_manage_metadata", "pages_show_list"]


def debug_token(pages: Pages, parameters: Parameters, app_id: int, app_secret: str | None) -> dict[str, object]:
    """The answer's body.

    Args:
        pages: whose tokens are known.
        parameters: of the request; ``input_token`` is what is asked about.
        app_id: of the sandbox's own app; pages may be of others.
        app_secret: of it; with None, any secret will do in an app token ``ID|SECRET``.

    Raises:
        Refused: 104 and 190, it bears neither the app's token nor a live one of a page; 100, it asks about none.
    """
    _check_asker(pages, parameters.token, app_id, app_secret)
    asked = parameters.values.get("input_token")
    if not isinstance(asked, str) or not asked:
        raise invalid("The parameter input_token is required")
    try:
        page = pages.owner(asked)
    except Refused as refused:
        error = {"code": refused.error.code, "message": refused.error.message, "subcode": refused.error.subcode}
        told = {name: value for name, value in error.items() if value is not None}
        return {"data": {"error": told, "is_valid": False, "scopes": []}}
    return {"data": _told(page, app_id)}


def _check_asker(pages: Pages, token: str | None, app_id: int, app_secret: str | None) -> None:
    name, bar, secret = (token or "").partition("|")
    if bar:
        secrets = [page.app_secret for page in pages.all() if page.app_id is not None and str(page.app_id) == name]
        if name == str(app_id):
            secrets.append(app_secret)
        if not secret or not any(right in (None, secret) for right in secrets):
            raise Refused(known(190))
    else:
        pages.owner(token)


def _told(page: Page, app_id: int) -> dict[str, object]:
    instagram = page.platform.value == "instagram"
    return {
        "app_id": str(page.app_id or app_id),
        "type": "PAGE",
        "application": "Sandbox",
        "data_access_expires_at": 0,
        "expires_at": page.expires_at,
        "is_valid": True,
        "scopes": list(page.scopes) if page.scopes is not None else _INSTAGRAM_SCOPES if instagram else _SCOPES,
        "profile_id": page.id,
    }
