"""Control: the subscription to webhooks, the record of them, and the challenge (SEND_API 6)."""

from __future__ import annotations

import secrets
from urllib.parse import urlencode

from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.control_input import Unusable, read_body
from sandbox.replies import reply
from sandbox.subscription import Subscription
from sandbox.webhook_post import Caller, NoAnswer
from sandbox.webhooks import Webhooks
from sandbox.world import Sandbox

_SUBSCRIPTION: TypeAdapter[Subscription] = TypeAdapter(Subscription)
_SHOWN: TypeAdapter[dict[str, object]] = TypeAdapter(dict[str, object])
_OK = 200


class WebhookControl:
    """Where webhooks go, and what became of them."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def subscribe(self, request: Request) -> Response:
        """Take a subscription in the place of the one before."""
        subscription = await read_body(request, _SUBSCRIPTION)
        app_secret = subscription.app_secret or self._sandbox.start.app_secret
        if subscription.url is not None and app_secret is None:
            raise Unusable.field("app_secret", "needed to sign with: the sandbox was started without one")
        await _challenge(subscription)
        webhooks = self._sandbox.world.webhooks
        webhooks.subscribe(subscription, app_secret or "")
        self._sandbox.feed.everything()
        return reply(subscription_shown(webhooks))

    async def record(self, request: Request) -> Response:  # noqa: ARG002  # the signature of a handler
        """The subscription, and every webhook that is remembered."""
        webhooks = self._sandbox.world.webhooks
        record = [] if webhooks.outbox is None else webhooks.outbox.record
        return reply(subscription_shown(webhooks) | {"webhooks": [webhook.as_json() for webhook in record]})


def webhook_routes(sandbox: Sandbox) -> list[Route]:
    """The routes of all this."""
    webhooks = WebhookControl(sandbox)
    return [
        Route("/sandbox/webhooks", webhooks.record, methods=["GET"]),
        Route("/sandbox/webhooks", webhooks.subscribe, methods=["PUT"]),
    ]


def subscription_shown(webhooks: Webhooks) -> dict[str, object]:
    """Where webhooks go, without the secrets."""
    shown: dict[str, object] = _SHOWN.dump_python(webhooks.subscription.shown(), mode="json")
    return shown | {"subscribed": webhooks.outbox is not None and webhooks.outbox.subscribed}


async def _challenge(subscription: Subscription) -> None:
    """Ask the address whether it is wanted there."""
    if subscription.url is None or subscription.verify_token is None:
        return
    challenge = str(secrets.randbelow(10**10))
    asked = {"hub.mode": "subscribe", "hub.verify_token": subscription.verify_token, "hub.challenge": challenge}
    caller = Caller(subscription.url)
    try:
        answered = await caller.call("GET", {}, b"", subscription.answer_seconds, urlencode(asked))
    except NoAnswer as error:
        raise Unusable.field("url", f"the challenge had no answer: {error}") from error
    finally:
        caller.close()
    if answered.status != _OK or answered.body != challenge.encode():
        raise Unusable.field("url", f"the challenge was not answered with itself (status {answered.status})")
