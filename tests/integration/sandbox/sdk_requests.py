"""What public SDKs write to Graph, as it was seen on the wire: path, headers and body; names and texts are ours.

They differ in where the token is, in how an object is written, and in what they send that nobody asked for. None of
them is needed here: these are their bytes.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.integration.sandbox.client import PAGE, TOKEN

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_BOUNDARY = "--------------------------ee401a1138a96429a8512c7f"
_TOKEN = f"access_token={TOKEN}"
_PROVED = f"{_TOKEN}&appsecret_proof={'5' * 64}"
_ID = "recipient=%7B%22id%22%3A%227001%22%7D"
_HELLO = "message=%7B%22text%22%3A%22hello%22%7D"
_PNG = b"\x89PNG\r\n\x1a\n" + bytes(50)


@dataclass(frozen=True)
class Recorded:
    """One request, and the fields of its answer.

    Attributes:
        sdk: who writes it, and in which language.
    """

    sdk: str
    path: str
    headers: dict[str, str]
    body: bytes
    answered: frozenset[str] = frozenset({"recipient_id", "message_id"})
    method: str = "POST"


def _multipart(*parts: tuple[str, bytes]) -> bytes:
    """As form-data libraries write it: a head of each part, then its bytes."""
    written = [
        f"--{_BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + data for head, data in parts
    ]
    return b"\r\n".join(written) + f"\r\n--{_BOUNDARY}--\r\n".encode()


_LOWER = {"Content-type": "application/json"}
_FILE = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
_ACTION = frozenset({"recipient_id"})
RECORDED = (
    Recorded("pymessenger (Python): no messaging_type", f"/v2.6/me/messages?{_PROVED}", JSON,
             b'{"recipient": {"id": "7001"}, "message": {"text": "h\\u00e9llo"}}'),
    Recorded("pymessenger (Python): a file without a media type", f"/v2.6/me/messages?{_TOKEN}", _FILE,
             _multipart(('name="recipient"', b'{"id": "7001"}'),
                        ('name="message"', b'{"attachment": {"type": "image", "payload": {}}}'),
                        ('name="filedata"; filename="photos/x.png"', _PNG))),
    Recorded("fbmessenger (Python)", f"/v25.0/me/messages?{_PROVED}", JSON,
             b'{"messaging_type": "RESPONSE", "notification_type": "REGULAR", "recipient": {"id": "7001"}, '
             b'"message": {"text": "hi"}}'),
    Recorded("fbmq (Python): what is not given is null", f"/v2.11/me/messages?{_TOKEN}", _LOWER,
             b'{"message": {"attachment": null, "metadata": "m", "quick_replies": [{"content_type": "text", "payload": '
             b'"b", "title": "a"}], "text": "hi"}, "notification_type": null, "recipient": {"id": "7001"}, '
             b'"sender_action": null, "tag": null}'),
    Recorded("fbmq (Python): an old field of an element", f"/v2.11/me/messages?{_TOKEN}", _LOWER,
             b'{"message": {"attachment": {"payload": {"elements": [{"buttons": [{"title": "go", "type": "web_url", '
             b'"url": "https://example.com"}], "image_url": "https://example.com/x.png", "item_url": "https://example.com",'
             b'"subtitle": "s", "title": "t"}], "image_aspect_ratio": "horizontal", "template_type": "generic"}, '
             b'"type": "template"}, "metadata": null, "quick_replies": null, "text": null},"recipient":{"id":"7001"}}'),
    Recorded("fbmq (Python): an action", f"/v2.11/me/messages?{_TOKEN}", _LOWER,
             b'{"message": null, "notification_type": null, "recipient": {"id": "7001"}, "sender_action": "typing_on", '
             b'"tag": null}', _ACTION),
    Recorded("facebook-sdk and python-facebook-api (Python): a form, the token in it", "/v3.1/me/messages", FORM,
             f"{_ID}&{_HELLO}&messaging_type=RESPONSE&{_TOKEN}".encode()),
    Recorded("facebook-business (Python): a form, the token in the query", f"/v26.0/{PAGE}/messages?{_PROVED}", FORM,
             f"{_ID}&{_HELLO}&messaging_type=RESPONSE".encode()),
    Recorded("facebook-business (Python): actions in capitals", f"/v26.0/{PAGE}/messages?{_PROVED}", FORM,
             f"{_ID}&sender_action=TYPING_ON".encode(), _ACTION),
    Recorded("facebook-business (Python): an upload", f"/v26.0/{PAGE}/message_attachments?{_PROVED}", FORM,
             b"message=%7B%22attachment%22%3A%7B%22payload%22%3A%7B%22is_reusable%22%3Atrue%2C%22url%22%3A%22https%3A%2F%2F"
             b"example.com%2Fx.png%22%7D%2C%22type%22%3A%22image%22%7D%7D", frozenset({"attachment_id"})),
    Recorded("messaging-api-messenger (Node): the type UPDATE", f"/v25.0/me/messages?{_PROVED}", JSON,
             b'{"messaging_type":"UPDATE","recipient":{"user_ref":"r"},"message":{"text":"x"}}',
             frozenset({"message_id"})),
    Recorded("messaging-api-messenger (Node): a file first, then the recipient", f"/v25.0/me/messages?{_PROVED}", _FILE,
             _multipart(('name="message"', b'{"attachment":{"type":"image","payload":{}}}'),
                        ('name="filedata"; filename="x.png"\r\nContent-Type: image/png', _PNG),
                        ('name="messaging_type"', b"UPDATE"), ('name="recipient"', b'{"id":"7001"}'))),
    Recorded("messaging-api-messenger (Node): a media template", f"/v25.0/me/messages?{_PROVED}", JSON,
             b'{"messaging_type":"UPDATE","recipient":{"id":"7001"},"message":{"attachment":{"type":"template","payload":'
             b'{"template_type":"media","elements":[{"media_type":"image","url":"https://www.facebook.com/p/1","buttons":'
             b'[{"type":"web_url","url":"https://example.com","title":"go"}]}]}}}}'),
    Recorded("botly (Node)", f"/v2.12/me/messages?{_TOKEN}", JSON,
             b'{"messaging_type":"RESPONSE","recipient":{"id":"7001"},"message":{"text":"hi"},'
             b'"notification_type":"REGULAR"}'),
    Recorded("facebook-nodejs-business-sdk (Node): the page's id in the body too", f"/v24.0/{PAGE}/messages?{_TOKEN}",
             JSON,
             b'{"recipient":{"id":"7001"},"message":{"text":"hi"},"messaging_type":"RESPONSE","id":"1001"}'),
    Recorded("facebook-nodejs-business-sdk (Node): a body to GET", f"/v24.0/{PAGE}/conversations?user_id=7001"
             f"&platform=MESSENGER&fields=id&{_TOKEN}", JSON, b"{}", frozenset({"data"}), "GET"),
)  # fmt: skip  # a table
BATCHES = (
    Recorded("messaging-api-messenger (Node): JSON, the token in it", f"/v25.0/?appsecret_proof={'5' * 64}", JSON,
             f'{{"access_token":"{TOKEN}","include_headers":true,"batch":[{{"method":"POST","relative_url":"me/messages",'
             f'"body":"messaging_type=UPDATE&{_ID}&{_HELLO}"}},{{"method":"POST","relative_url":"me/messages",'
             f'"body":"messaging_type=UPDATE&{_ID}&{_HELLO}"}}]}}'.encode()),
    Recorded("facebook-business (Python): a form, forms in it", f"/v26.0/?{_PROVED}", FORM,
             b"batch=%5B%7B%22body%22%3A%22recipient%3D%257B%2522id%2522%253A%25227001%2522%257D%26message%3D%257B%2522text"
             b"%2522%253A%2522hello%2522%257D%26messaging_type%3DRESPONSE%22%2C%22method%22%3A%22POST%22%2C%22relative_url"
             b"%22%3A%221001%2Fmessages%22%7D%5D"),
)  # fmt: skip  # a table
