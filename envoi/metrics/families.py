"""Every metric that there is: name, kind, labels and meaning. docs/metrics.md is made of this; collectors fill it.

No label holds a recipient, a text, a token or anything else of open range: pages are bounded by
``ENVOI_METRICS_PAGES``, Graph's error codes by a number of ours, all others by what the code knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

OTHER = "other"  # the label of what has none of its own


@dataclass(frozen=True, slots=True)
class Family:
    """One metric.

    Attributes:
        name: as Prometheus has it; a counter's ends in ``_total``.
        labels: names of its labels.
        meaning: one sentence; the help text as well.
        of: which processes show it.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    meaning: str
    of: Literal["worker", "scheduler", "both"]


def _worker(kind: Literal["counter", "gauge", "histogram"], name: str, meaning: str, *labels: str) -> Family:
    return Family(f"envoi_{name}", kind, labels, meaning, "worker")


def _scheduler(kind: Literal["counter", "gauge", "histogram"], name: str, meaning: str, *labels: str) -> Family:
    return Family(f"envoi_{name}", kind, labels, meaning, "scheduler")


BUILD = Family("envoi_build_info", "gauge", ("part", "version"), "1, with the version that runs.", "both")
HEALTHY = Family("envoi_healthy", "gauge", (), "1 if `/healthz` says yes: it makes progress.", "both")
READY = Family("envoi_ready", "gauge", (), "1 if `/readyz` says yes: it can do its work now.", "both")

CALLS = _worker(
    "counter",
    "calls_total",
    "Calls made, by what they mean; `code` is Graph's error code, with its subcode, or empty.",
    "page",
    "step",
    "verdict",
    "code",
)
CALL_SECONDS = _worker("histogram", "call_seconds", "From a call's request to its verdict.", "step")
ACCEPTED_SECONDS = _worker(
    "histogram",
    "accepted_seconds",
    "From enqueueing a job, or from its time `at`, until its message was accepted.",
    "lane",
)
ATTEMPTS = _worker(
    "counter",
    "attempts_total",
    "Attempts ended, by what they came to: a final state, or `retry`, `back`, `stale` and the like.",
    "lane",
    "came_to",
)
RUNNING = _worker("gauge", "attempts_in_flight", "Conversations that this process holds now.")
CALLING = _worker("gauge", "calls_in_flight", "Calls and looks that this process waits for now.")
CONCURRENCY = _worker("gauge", "concurrency", "Conversations that this process may hold (ENVOI_CONCURRENCY).")
TURNED = _worker("gauge", "engine_turn_age_seconds", "Since the engine last moved on: the proof of progress.")
RENEWED = _worker("gauge", "lease_renewal_age_seconds", "Since Redis last took a renewal of this process's leases.")

DUTY_RUN = _scheduler(
    "gauge", "duty_last_run_timestamp_seconds", "When a duty last came to the end of a turn without a failure.", "duty"
)
DUTY_FAILURES = _scheduler("counter", "duty_failures_total", "Turns of a duty that met trouble.", "duty")
DUTY_TROUBLE = _scheduler("gauge", "duty_in_trouble", "1 while a duty meets trouble; its log says which.", "duty")
DUTY_LEADS = _scheduler("gauge", "duty_leads", "1 where this scheduler is the one that does it.", "duty")
DUTY_LATE = _scheduler("gauge", "duty_late_seconds", "How late the last turn of a duty began.", "duty")
DUTY_TOOK = _scheduler("gauge", "duty_turn_seconds", "How long the last turn of a duty took.", "duty")
DUE_LATE = _scheduler(
    "gauge", "due_late_seconds", "How late the last turn of `due` moved what was due; 0: nothing was."
)
LOGGED = _scheduler(
    "counter", "events_logged_total", "Events copied to the log, by the state that a job entered.", "state"
)

SAMPLE_AGE = _scheduler(
    "gauge",
    "sample_age_seconds",
    "Since the figures below were read: `queue` of Redis, `log` and `outbox` of SQL.",
    "of",
)
GATE = _scheduler("gauge", "gate_open", "1 if the queue is open: jobs may be claimed.")
DOOR = _scheduler("gauge", "door_open", "1 if jobs are taken; 0: `send` raises QueueFull.")
WORKERS = _scheduler("gauge", "workers", "Workers that gave a sign of life within a lease.")
SCHEDULERS = _scheduler("gauge", "schedulers", "Schedulers that gave a sign of life within 15 s.")
BELLS = _scheduler("gauge", "bells", "Bells that no worker has read.")
WAITING = _scheduler(
    "gauge",
    "waiting_conversations",
    "Conversations that wait for their page, which is `open`, `held` by a throttle, or `paused`, whatever is behind.",
    "lane",
    "page_state",
)
WAITING_OLDEST = _scheduler(
    "gauge",
    "waiting_oldest_seconds",
    "How long the first of an open page's list has waited, of all the longest.",
    "lane",
)
PAGE_WAITING = _scheduler("gauge", "page_waiting_conversations", "The same by page, whatever its state.", "page")
SCHEDULED = _scheduler("gauge", "scheduled_jobs", "Jobs that wait for their time `at`.")
DUE = _scheduler(
    "gauge", "due_conversations", "Conversations that wait for a due time: retries, typing pauses, facts of unknowns."
)
LOOKED_INTO = _scheduler("gauge", "looks_waiting", "Conversations that settle and will be looked into.")
LEASES = _scheduler("gauge", "leases", "Conversations that workers hold.")
OVERDUE = _scheduler("gauge", "overdue", "Leases and due times over for 5 s that no scheduler has moved.")
HOLDS = _scheduler("gauge", "held_conversations", "Conversations that an operator holds.")
PAGES = _scheduler("gauge", "pages", "Pages that ever had a job.")
PAUSED = _scheduler(
    "gauge",
    "paused_pages",
    "Pages that wait for an operator, by why: `token`, `permission`, `restricted` by Meta, or an `operator`.",
    "reason",
)
HELD_PAGES = _scheduler("gauge", "held_pages", "Pages that a throttle holds now.")
STREAM = _scheduler(
    "gauge",
    "stream_entries",
    "Entries that wait: `events` for the log, `tasks` for Celery, `notices`, `receipts`.",
    "stream",
)
STREAM_AGE = _scheduler("gauge", "stream_oldest_seconds", "How long the oldest of them has waited.", "stream")
ASIDE = _scheduler("gauge", "events_aside", "Events that could not be logged, and wait for somebody to look at them.")
MEMORY = _scheduler("gauge", "redis_memory_bytes", "Memory that Redis uses.")
MEMORY_MAX = _scheduler("gauge", "redis_memory_max_bytes", "Memory that Redis may use; 0: without bound.")
SETTLING = _scheduler("gauge", "settling_jobs", "Jobs whose message call nobody answered for, 1000 at most.")
SETTLING_OLDEST = _scheduler("gauge", "settling_oldest_seconds", "Since the longest settling of them was enqueued.")
UNKNOWN = _scheduler("gauge", "unknown_jobs", "Jobs that ended `unknown` within a day, 1000 at most.")
OUTBOX = _scheduler(
    "gauge", "outbox_rows", "Rows of the outbox, 1000 at most: `waiting` for a relay, `refused` by the queue.", "state"
)
OUTBOX_AGE = _scheduler("gauge", "outbox_oldest_seconds", "How long the oldest row of the outbox waits for a relay.")

ALL = tuple(found for found in list(globals().values()) if isinstance(found, Family))
