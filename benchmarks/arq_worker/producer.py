"""Each line of standard input is a batch of messages, as JSON; each is enqueued and answered with what that took.

Ends with its input. arq has no call for many jobs, and puts them in order by the millisecond: one after the other.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time

import uvloop
from arq import create_pool
from arq.connections import RedisSettings


async def main() -> None:
    """Enqueue until the input ends."""
    pool = await create_pool(RedisSettings.from_dsn(os.environ["REDIS_URL"]))
    while line := await asyncio.to_thread(sys.stdin.readline):
        began, before = time.perf_counter(), time.process_time()
        for message in json.loads(line):
            await pool.enqueue_job("send_message", *message)
        spent = {"seconds": time.perf_counter() - began, "cpu_seconds": time.process_time() - before}
        print(json.dumps(spent), flush=True)
    await pool.aclose()


if __name__ == "__main__":
    uvloop.run(main())
