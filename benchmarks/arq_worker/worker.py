"""The work as an arq job: aiohttp with a connection for each job in hand, an asyncpg pool, one INSERT a job, uvloop.

Started by ``python -m arq benchmarks.arq_worker.worker.WorkerSettings``. Nothing here imports Envoi: arq needs another
release of redis-py than it does.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Mapping
from typing import Any, ClassVar

import aiohttp
import asyncpg
import uvloop
from arq import Retry
from arq.connections import RedisSettings

GRAPH_URL = os.environ["GRAPH_URL"]
PARAMS = {"access_token": os.environ["PAGE_ACCESS_TOKEN"]}
CONCURRENCY = int(os.environ["CONCURRENCY"])

_INSERT = """
INSERT INTO sent_messages (page_id, recipient_id, text, message_id, sent_at)
VALUES ($1, $2, $3, $4, now() AT TIME ZONE 'utc')
"""

asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())


async def start(context: dict[str, Any]) -> None:
    """Open what all jobs share."""
    trust = ssl.create_default_context(cafile=os.environ.get("CA_FILE"))
    connector = aiohttp.TCPConnector(limit=CONCURRENCY, ssl=trust)
    context["http"] = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=30))
    context["database"] = await asyncpg.create_pool(os.environ["DATABASE_URL"], max_size=20)


async def stop(context: dict[str, Any]) -> None:
    """Close it."""
    await context["http"].close()
    await context["database"].close()


async def call_send_api(http: aiohttp.ClientSession, page_id: str, body: Mapping[str, object]) -> dict[str, str]:
    """Make one call.

    Raises:
        aiohttp.ClientError: it failed.
    """
    async with http.post(f"{GRAPH_URL}/v25.0/{page_id}/messages", params=PARAMS, json=body) as response:
        response.raise_for_status()
        answer: dict[str, str] = await response.json()
        return answer


async def send_message(context: dict[str, Any], page_id: str, recipient_id: str, text: str) -> None:
    """Show the bubble, send the message, hide the bubble, write the outcome down."""
    http, recipient = context["http"], {"id": recipient_id}
    message = {"recipient": recipient, "messaging_type": "RESPONSE", "message": {"text": text}}
    try:
        await call_send_api(http, page_id, {"recipient": recipient, "sender_action": "typing_on"})
        answer = await call_send_api(http, page_id, message)
        await call_send_api(http, page_id, {"recipient": recipient, "sender_action": "typing_off"})
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Retry(defer=2 ** context["job_try"]) from error
    await context["database"].execute(_INSERT, page_id, recipient_id, text, answer["message_id"])


class WorkerSettings:
    """What arq reads; all else is arq's default."""

    functions: ClassVar = [send_message]
    on_startup = start
    on_shutdown = stop
    redis_settings = RedisSettings.from_dsn(os.environ["REDIS_URL"])
    max_jobs = CONCURRENCY
    max_tries = 5
    keep_result = 0
