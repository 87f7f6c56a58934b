"""Each line of standard input is a batch of messages, as JSON; each is enqueued and answered with what that took.

Ends with its input. Celery has no call for many tasks: one ``apply_async`` after the other.
"""

from __future__ import annotations

import json
import sys
import time

from benchmarks.usual.tasks import send_message


def main() -> None:
    """Enqueue until the input ends."""
    for line in sys.stdin:
        began, before = time.perf_counter(), time.process_time()
        for message in json.loads(line):
            send_message.apply_async(message)
        spent = {"seconds": time.perf_counter() - began, "cpu_seconds": time.process_time() - before}
        print(json.dumps(spent), flush=True)


if __name__ == "__main__":
    main()
