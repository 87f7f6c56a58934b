"""File descriptors: a call in flight needs one, and the usual limit of a process is 1,024."""

from __future__ import annotations

import resource

from envoi.errors import BadSettings, Problem

_OTHERS = 128  # for Redis, the log, Celery, and what Python has open


def make_room(concurrency: int) -> None:
    """Raise this process's own limit, as far as the system's allows, to what so many calls at once need.

    Raises:
        BadSettings: the system's limit is lower.
    """
    needed = concurrency + _OTHERS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        limit = f"at most {max(0, hard - _OTHERS)} here, where a process may have {hard} files open (`ulimit -Hn`)"
        raise BadSettings(Problem("ENVOI_CONCURRENCY", limit))
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
