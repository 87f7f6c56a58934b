"""Place an order, show what became of its message, take webhooks."""

import json
from dataclasses import asdict

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from envoi import (
    BadSignature,
    Envoi,
    InvalidJob,
    InvalidWebhook,
    QueueFull,
    QueueUnavailable,
    Recovering,
    UnknownJob,
)
from envoi.entry import outbox_entry
from shop.models import Order, Outgoing

envoi = Envoi()


@csrf_exempt  # an end point for machines; a form of yours keeps its token
@require_POST
def place(request: HttpRequest) -> HttpResponse:
    """Place an order and tell the person: both or neither, whatever dies in between. Redis may be away meanwhile."""
    given = json.loads(request.body)
    number, person = int(given["number"]), given["person"]
    text = f"Your order {number} has been placed."
    try:
        entry = outbox_entry(given["page"], person, text, key=f"order-{number}")
    except InvalidJob as error:
        return JsonResponse({"detail": [str(problem) for problem in error.problems]}, status=422)
    with transaction.atomic():
        order, new = Order.objects.get_or_create(number=number, defaults={"person": person, "job_id": entry.job_id})
        if new:  # placed before: the first one's message stands
            Outgoing.objects.create(**asdict(entry))
    return JsonResponse({"job": order.job_id}, status=202)


@require_GET
def status(_: HttpRequest, job_id: str) -> HttpResponse:
    try:
        found = envoi.status(job_id)
    except UnknownJob:  # not relayed yet, or settled more than a day ago
        return JsonResponse({"state": "unknown here"}, status=404)
    error = found.error and found.error.message
    return JsonResponse({"state": found.state, "message_id": found.message_id, "error": error})


@csrf_exempt  # Meta signs it instead
def webhook(request: HttpRequest) -> HttpResponse:
    try:
        if request.method == "GET":
            return HttpResponse(envoi.webhook_challenge(request.GET), content_type="text/plain")
        taken = envoi.webhook(request.body, request.headers.get("X-Hub-Signature-256"))
        answer(json.loads(request.body))
    except BadSignature:
        return HttpResponse(status=403)
    except InvalidWebhook:
        return HttpResponse(status=400)
    except (QueueUnavailable, QueueFull, Recovering):  # Meta sends it again
        return HttpResponse(status=503)
    return JsonResponse({"taken": taken})


def answer(document: dict) -> None:
    """Answer each text that a person has written."""
    for entry in document.get("entry", []):
        for event in entry.get("messaging", []):
            message = event.get("message", {})
            if message.get("text") and not message.get("is_echo"):
                # Meta may bring a webhook twice: the message's own id as the key answers it once.
                text = f"You wrote: {message['text'][:1000]}"
                envoi.send(entry["id"], event["sender"]["id"], text, key=f"reply-{message['mid']}")
