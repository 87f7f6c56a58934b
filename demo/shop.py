"""A small shop that answers: a web app that takes the sandbox's webhooks, so that one can write to it on the page."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from demo.pictures import PICTURES
from envoi import BadSignature, Envoi, InvalidWebhook, QueueFull, QueueUnavailable, Recovering

_TYPING_SECONDS = 1.5  # as long as a person would need, so that the dots are seen
_CHOICES = ("See the catalogue", "Where is my parcel?")
_GOODS = (
    ("tent", "Blue tent", "For two people, 1.9 kg", 240),
    ("lantern", "Camping lantern", "Ten nights a charge", 39),
    ("mug", "Enamel mug", "For coffee above the clouds", 12),
)


class Shop:
    """What the shop says to whatever a person does.

    Attributes:
        address: of the shop on this machine, once it is open.
    """

    def __init__(self, envoi: Envoi, page: str) -> None:
        self.address = ""
        self._envoi = envoi
        self._page = page

    def take(self, body: bytes, signature: str | None) -> int:
        """One webhook: Envoi first, then our answer.

        Returns:
            The HTTP status: anything but 200, and it comes again.
        """
        try:
            self._envoi.webhook(body, signature)
            for entry in json.loads(body)["entry"]:
                for event in entry.get("messaging", []):
                    self._answer(event)
        except BadSignature:
            return 403
        except InvalidWebhook:
            return 400
        except (QueueUnavailable, QueueFull, Recovering):
            return 503
        return 200

    def _answer(self, event: Mapping[str, Any]) -> None:
        message, postback = event.get("message"), event.get("postback")
        if postback is not None:
            said, mid = str(postback["payload"]), postback.get("mid")
        elif message is not None and not message.get("is_echo"):
            said, mid = str(message.get("text", "")), message["mid"]
        else:
            return
        answer = self.answer_to(said)
        # The key: a webhook that comes twice is answered once.
        self._envoi.send(self._page, event["sender"]["id"], answer, typing=_TYPING_SECONDS, key=f"answer-{mid}")

    def answer_to(self, said: str) -> dict[str, Any]:
        """What the shop says to a text or a payload, as the Send API's message."""
        for name, title, _, price in _GOODS:
            if said == f"ORDER {name}":
                return _template(_receipt(title, price))
        if "catalogue" in said.lower():
            return _template({"template_type": "generic", "elements": [self._card(*goods) for goods in _GOODS]})
        if "parcel" in said.lower():
            return {"text": "It has left our house in Lyon and takes two days. Anything else?", **_choices()}
        return {"text": "Good to hear from you! What can we do for you?", **_choices()}

    def _card(self, name: str, title: str, subtitle: str, price: int) -> dict[str, Any]:
        return {
            "title": title,
            "subtitle": f"{subtitle} · {price} €",
            "image_url": f"{self.address}/{name}.svg",
            "buttons": [{"type": "postback", "title": "Order it", "payload": f"ORDER {name}"}],
        }


def _choices() -> dict[str, Any]:
    return {"quick_replies": [{"content_type": "text", "title": one, "payload": one} for one in _CHOICES]}


def _template(payload: dict[str, Any]) -> dict[str, Any]:
    return {"attachment": {"type": "template", "payload": payload}}


def _receipt(title: str, price: int) -> dict[str, Any]:
    return {
        "template_type": "receipt",
        "recipient_name": "you",
        "order_number": secrets.token_hex(4),
        "currency": "EUR",
        "payment_method": "nothing: this is a demonstration",
        "elements": [{"title": title, "quantity": 1, "price": price}],
        "summary": {"subtotal": price, "shipping_cost": 0, "total_cost": price},
    }


@contextmanager
def opened_shop(shop: Shop) -> Iterator[None]:
    """The shop at an address of its own, until the end of the ``with``."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self._end(shop.take(body, self.headers["X-Hub-Signature-256"]), b"", "text/plain")

        def do_GET(self) -> None:
            picture = PICTURES.get(self.path.strip("/").removesuffix(".svg"))
            self._end(404 if picture is None else 200, (picture or "").encode(), "image/svg+xml")

        def _end(self, status: int, body: bytes, content_type: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Leave the terminal to the demonstration."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    shop.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, name="shop")
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
