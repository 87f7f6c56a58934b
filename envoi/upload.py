"""Uploading a local file: Meta keeps it for 90 days under an attachment id, to be sent by (SEND_API 3, Media).

Loads requests, SQLAlchemy and cryptography, so it is imported when something is uploaded.
"""

from __future__ import annotations

import json
import os
from typing import Any, BinaryIO

import requests

from envoi.errors import InvalidUpload, Problem, UploadFailed
from envoi.events import GraphError
from envoi.log.credentials import Credentials
from envoi.log.database import opened_log
from envoi.log.pages import PageStore
from envoi.log.secrets import SecretBox
from envoi.settings import Settings
from envoi.upload_file import MediaFile, opened
from envoi.upload_form import FileChangedError, UploadForm
from envoi.upload_verdict import verdict_of

_ANSWER_LIMIT = 65_536  # bytes
_TEXT_LIMIT = 500  # characters of an error message that are kept


def upload(
    page: str,
    file: str | os.PathLike[str] | BinaryIO,
    settings: Settings,
    kind: str | None = None,
    name: str | None = None,
) -> str:
    """Upload a file. Returns its attachment id; :meth:`envoi.Envoi.upload` says the rest."""
    with opened_log(settings.database_url) as engine:
        store = PageStore(engine, SecretBox(settings.secret_keys))
        platform = store.get(page).platform
        found = store.credentials(page)
    with opened(file, kind, name=name, platform=platform) as media:
        return _sent(page, media, platform, found, settings)


def _sent(page: str, file: MediaFile, platform: str, by: Credentials, settings: Settings) -> str:
    attachment = {"type": file.kind, "payload": {"is_reusable": True}}
    fields = {"message": json.dumps({"attachment": attachment})}
    if platform == "instagram":
        fields["platform"] = platform
    if proof := by.proof(settings.own_app_secret):
        fields["appsecret_proof"] = proof
    form = UploadForm(fields, file)
    headers = {
        "Authorization": f"Bearer {by.token.get_secret_value()}",
        "Content-Type": form.content_type,
        "User-Agent": "envoi",
    }
    address = f"{by.graph_url or settings.graph_url}/{settings.graph_version}/{page}/message_attachments"
    with requests.Session() as session:
        session.trust_env = False  # a .netrc would put another token in place of ours
        try:
            with session.post(
                address,
                data=form,
                headers=headers,
                timeout=(settings.connect_timeout, settings.media_timeout),
                allow_redirects=False,
                stream=True,
            ) as response:
                body = response.raw.read(_ANSWER_LIMIT, decode_content=True)
                return _attachment_id(response.status_code, body)
        except FileChangedError:
            raise InvalidUpload(Problem("file", f"{file.name}: has changed while it was sent")) from None
        except (requests.RequestException, OSError, ValueError) as error:
            # Not its own words: they hold addresses, and whatever a proxy may have put in.
            trouble = GraphError(f"no answer from the Graph API ({type(error).__name__})")
    raise UploadFailed(trouble, "TryLater")


def _attachment_id(status: int, body: bytes) -> str:
    """The attachment id of an answer.

    Raises:
        UploadFailed: there is none in it.
    """
    try:
        found: Any = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    answer = found if isinstance(found, dict) else {}
    error = answer.get("error")
    if isinstance(error, dict):
        code, subcode = _number(error.get("code")), _number(error.get("error_subcode"))
        text = str(error.get("message") or "no message")[:_TEXT_LIMIT]
        transient = error.get("is_transient") is True
        raise UploadFailed(GraphError(text, code, subcode), verdict_of(code, subcode, status, transient=transient))
    attachment_id = answer.get("attachment_id")
    if status // 100 == 2 and isinstance(attachment_id, str) and attachment_id.isascii() and attachment_id.isdigit():  # noqa: PLR2004  # 2xx
        return attachment_id
    raise UploadFailed(GraphError(f"HTTP {status} without an attachment id"), verdict_of(None, None, status))


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
