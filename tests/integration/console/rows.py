"""Rows of a log, as the log writer would have written them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import SecretStr
from sqlalchemy import Engine, insert

from envoi.ids import new_job_id
from envoi.log import tables
from envoi.log.pages import PageStore
from envoi.log.secrets import SecretBox

PAGE = "100"
PERSON = "7000001"


class Rows:
    """Puts them in."""

    def __init__(self, engine: Engine, box: SecretBox) -> None:
        self.engine = engine
        self.pages = PageStore(engine, box)

    def page(self, page: str = PAGE, **options: Any) -> str:
        return self.pages.add(page, SecretStr(f"token of {page}"), **options).id

    def job(self, state: str = "failed", *, minutes_ago: float = 5, calls: int = 0, **columns: Any) -> str:
        at = datetime.now(UTC) - timedelta(minutes=minutes_ago)
        job_id = columns.pop("id", None) or new_job_id()
        recipient = columns.get("recipient", PERSON)
        row = {
            "id": job_id,
            "page_id": PAGE,
            "recipient_kind": "id",
            "recipient": PERSON,
            "lane": "replies",
            "payload": {"page": PAGE, "recipient": {"id": recipient}, "message": {"text": "for your eyes only"}},
            "enqueued_at": at,
            "settled_at": None if state in {"queued", "settling", "scheduled", "retrying", "sending"} else at,
            "state": state,
            "attempts": 1,
            **columns,
        }
        with self.engine.begin() as connection:
            connection.execute(insert(tables.jobs).values(row))
            for number in range(calls):
                connection.execute(
                    insert(tables.calls).values(
                        job_id=job_id,
                        attempt=1,
                        step=("typing_on", "message", "typing_off")[number],
                        started_at=at + timedelta(seconds=number),
                        duration_ms=12.5,
                        http_status=400 if number == 1 else 200,
                        verdict="Refused" if number == 1 else "Accepted",
                        error_code=100 if number == 1 else None,
                        error_subcode=2018001 if number == 1 else None,
                        error_message="No matching user found" if number == 1 else None,
                        fbtrace_id=f"Trace{number}",
                    )
                )
        return job_id
