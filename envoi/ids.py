"""Job ids: 26 characters that sort by the time they were made (ULID layout: 48 bits of milliseconds, 80 random)."""

from __future__ import annotations

import os
import re
import time

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U
JOB_ID = re.compile(rf"[{_ALPHABET}]{{26}}")


def new_job_id() -> str:
    """A fresh job id. The client makes it, so repeating a script whose answer was lost enqueues nothing twice."""
    number = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10), "big")
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))
