"""A Flask app whose orders and messages are one transaction (SQLAlchemy and the outbox), and that takes webhooks.

flask --app examples/flask_app/app run
envoi outbox relay                       # beside it, with the same ENVOI_OUTBOX_DATABASE_URL
"""

from __future__ import annotations

import os
from typing import Any

from flask import Flask, Response, jsonify, request
from sqlalchemy import create_engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from envoi import (
    BadSignature,
    Envoi,
    InvalidJob,
    InvalidWebhook,
    QueueFull,
    QueueUnavailable,
    Recovering,
    UnknownJob,
    outbox,
)

app = Flask(__name__)
envoi = Envoi()
engine = create_engine(os.environ["ENVOI_OUTBOX_DATABASE_URL"])


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"
    number: Mapped[int] = mapped_column(primary_key=True)
    person: Mapped[str]
    job_id: Mapped[str]


Base.metadata.create_all(engine)
outbox.metadata.create_all(engine)


@app.errorhandler(QueueUnavailable)
@app.errorhandler(QueueFull)
@app.errorhandler(Recovering)
def later(error: Exception) -> Any:
    return jsonify(detail=str(error)), 503, {"Retry-After": "5"}


@app.post("/orders")
def place() -> Any:
    """Place an order and tell the person: both or neither, whatever dies in between. Redis may be away meanwhile."""
    given = request.get_json()
    number, person = int(given["number"]), given["person"]
    try:
        with Session(engine) as session, session.begin():
            text = f"Your order {number} has been placed."
            job_id = outbox.send(session, given["page"], person, text, key=f"order-{number}")
            session.add(Order(number=number, person=person, job_id=job_id))
    except InvalidJob as error:
        return jsonify(detail=[str(problem) for problem in error.problems]), 422
    except IntegrityError:  # placed before: the first one's message stands
        with Session(engine) as session:
            job_id = session.get_one(Order, number).job_id
    return jsonify(job=job_id), 202


@app.get("/jobs/<job_id>")
def status(job_id: str) -> Any:
    try:
        found = envoi.status(job_id)
    except UnknownJob:  # not relayed yet, or settled more than a day ago
        return jsonify(state="unknown here"), 404
    return jsonify(state=found.state, message_id=found.message_id, error=found.error and found.error.message)


@app.get("/webhook")
def asked() -> Response:
    try:
        return Response(envoi.webhook_challenge(request.args), mimetype="text/plain")
    except (BadSignature, InvalidWebhook):
        return Response(status=403)


@app.post("/webhook")
def webhook() -> Any:
    try:
        taken = envoi.webhook(request.get_data(), request.headers.get("X-Hub-Signature-256"))
    except BadSignature:
        return Response(status=403)
    except InvalidWebhook:
        return Response(status=400)
    for entry in request.get_json().get("entry", []):
        for event in entry.get("messaging", []):
            message = event.get("message", {})
            if message.get("text") and not message.get("is_echo"):
                # Meta may bring a webhook twice: the message's own id as the key answers it once.
                text = f"You wrote: {message['text'][:1000]}"
                envoi.send(entry["id"], event["sender"]["id"], text, key=f"reply-{message['mid']}")
    return jsonify(taken=taken)
