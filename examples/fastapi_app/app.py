"""A FastAPI app that sends through Envoi, takes Meta's webhooks, and answers who writes.

uvicorn app:app --app-dir examples/fastapi_app
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from envoi import (
    AsyncEnvoi,
    BadSignature,
    InvalidJob,
    InvalidWebhook,
    KeyConflict,
    QueueFull,
    QueueUnavailable,
    Recovering,
    UnknownJob,
)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with AsyncEnvoi() as app.state.envoi:
        yield


app = FastAPI(lifespan=lifespan)


def client(request: Request) -> AsyncEnvoi:
    found: AsyncEnvoi = request.app.state.envoi
    return found


Client = Annotated[AsyncEnvoi, Depends(client)]


class Order(BaseModel):
    page: str
    person: str
    number: int


@app.exception_handler(QueueUnavailable)
@app.exception_handler(QueueFull)
@app.exception_handler(Recovering)
async def later(_: Request, error: Exception) -> Response:
    # The caller, or Meta, tries again: the keys below make that harmless.
    return JSONResponse({"detail": str(error)}, 503, {"Retry-After": "5"})


@app.post("/orders", status_code=202)
async def confirm(order: Order, envoi: Client) -> dict[str, str]:
    """Tell a person that the order is placed; posted twice, it is told once."""
    text = f"Your order {order.number} has been placed."
    try:
        job_id = await envoi.send(order.page, order.person, text, key=f"order-{order.number}")
    except InvalidJob as error:
        raise HTTPException(422, [str(problem) for problem in error.problems]) from None
    except KeyConflict as error:
        raise HTTPException(409, str(error)) from None
    return {"job": job_id}


@app.get("/jobs/{job_id}")
async def status(job_id: str, envoi: Client) -> dict[str, Any]:
    try:
        found = await envoi.status(job_id)
    except UnknownJob:
        raise HTTPException(404) from None
    return {"state": found.state, "message_id": found.message_id, "error": found.error and found.error.message}


@app.get("/webhook")
async def asked(request: Request, envoi: Client) -> Response:
    try:
        return Response(envoi.webhook_challenge(request.query_params), media_type="text/plain")
    except (BadSignature, InvalidWebhook):
        raise HTTPException(403) from None


@app.post("/webhook")
async def webhook(request: Request, envoi: Client) -> dict[str, int]:
    body = await request.body()
    try:
        taken = await envoi.webhook(body, request.headers.get("X-Hub-Signature-256"))
    except BadSignature:
        raise HTTPException(403) from None
    except InvalidWebhook:
        raise HTTPException(400) from None
    for page, person, message in messages(json.loads(body)):
        # Meta may bring a webhook twice: the message's own id as the key answers it once.
        await envoi.send(page, person, f"You wrote: {message['text'][:1000]}", key=f"reply-{message['mid']}")
    return {"taken": taken}


def messages(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Page, person and message of each text that a person has written."""
    for entry in document.get("entry", []):
        for event in entry.get("messaging", []):
            message = event.get("message", {})
            if message.get("text") and not message.get("is_echo"):
                yield entry["id"], event["sender"]["id"], message
