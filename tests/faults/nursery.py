"""A nursery of workers: one process that has loaded all that a worker needs, and forks one whenever it is told to.

To load it takes seconds of CPU, so a run in which many workers are killed would mostly wait for that. What is forked is
a worker like any other: ``envoi worker``'s own entry point, in a process, a session and a log file of its own.

It reads a line of JSON for each worker, ``{"log", "arguments", "strike"}``, and writes ``{"pid"}`` for it, in order,
and ``{"ended", "status"}`` for each that has ended. The time of day is replaced by one that a strike can step, before
anything else is loaded, since many take it by name.
"""

from __future__ import annotations

import ctypes
import json
import os
import random
import select
import signal
import sys
import time
from importlib import import_module
from typing import Any, NoReturn

_PR_SET_PDEATHSIG = 1
_POLL = 0.02  # seconds


def _say(**what: object) -> None:
    print(json.dumps(what), flush=True)


def _raise(order: dict[str, Any], entry: Any, strikes: Any) -> NoReturn:  # modules
    """The life of one worker; in the forked process."""
    os.setsid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    random.seed()  # else all draw the same
    out = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for number in (1, 2):
        os.dup2(out, number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    if order["strike"]:
        strikes.wrap(strikes.Striker(order["strike"]))
    status = 1
    try:
        status = entry.main(order["arguments"])
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _reap() -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        _say(ended=pid, status=os.waitstatus_to_exitcode(status))


def main() -> int:
    """Serve until the standard input ends; then end every worker."""
    strikes = import_module("tests.faults.striking")
    time.time = strikes.stepped_time
    import_module("worker.celery")
    entry = import_module("worker.__main__")
    _say(ready=True)
    left = b""
    while True:
        ready, _, _ = select.select([0], [], [], _POLL)
        _reap()
        if not ready:
            continue
        data = os.read(0, 1 << 16)
        if not data:
            return 0  # the kernel ends the workers with us
        *lines, left = (left + data).split(b"\n")
        for line in lines:
            order = json.loads(line)
            pid = os.fork()
            if pid == 0:
                _raise(order, entry, strikes)
            _say(pid=pid)


if __name__ == "__main__":
    sys.exit(main())
