"""What waits: for the log, for apps, for pages, for webhooks to be applied; and whether the door is shut."""

from __future__ import annotations

from envoi.doctor.finding import Check, Finding, bad, listed, ok, span, unknown, warn
from envoi.doctor.queue_facts import QueueFacts
from envoi.doctor.streams import Backlog
from envoi.queue.queue import EVICTS

_NEARLY, _FULL = 0.5, 0.9  # of a cap
_LAG, _LONG_LAG = 60.0, 3600.0  # seconds that the oldest may wait for its reader
_REPLY = 60.0  # seconds that a reply may wait for a worker
_HALF, _MOST = 0.5, 0.9  # of the age at which a job expires


def check_door(facts: QueueFacts) -> Finding:
    """Whether enqueueing is refused."""
    if facts.door is None:
        return ok("jobs are taken")
    if facts.door == EVICTS:
        return bad("enqueueing is refused: Redis would drop what it is given", "see redis-eviction")
    return bad("enqueueing is refused: the memory of Redis is nearly used up", "see redis-memory")


def check_log_lag(facts: QueueFacts) -> Finding:
    """How far the log is behind."""
    advice = "see sql and schedulers: events wait in Redis until the log is there again, and then enqueueing is refused"
    return _lag(facts.events, facts.settings.events_cap, "events are not in the log yet", advice)


def check_aside(facts: QueueFacts) -> Finding:
    """Events that could not be logged."""
    if not facts.aside:
        return ok("every event could be logged")
    advice = f"read them (redis-cli lrange '{{{facts.settings.redis_tag}}}:ev:bad' 0 -1), report them, delete the list"
    return warn(f"{facts.aside} events could not be read or stored and were set aside", advice)


def check_outcomes(facts: QueueFacts) -> Finding:
    """Whether apps take the outcomes that they asked for."""
    cap = facts.settings.events_cap
    published = _lag(
        facts.tasks,
        cap,
        "outcomes wait to be published as Celery tasks",
        "see the scheduler's log and ENVOI_OUTCOME_BROKER_URL: the app's broker does not take them",
    )
    read = [
        _lag(backlog, cap, f"outcomes wait in the stream {name}", f"see why nobody reads the stream {name}")
        for name, backlog in facts.streams.items()
    ]
    worst = max([published, *read], key=lambda found: ("ok", "warn", "bad").index(found.state))
    if worst.state != "ok":
        return worst
    waiting = facts.tasks.entries + sum(backlog.entries for backlog in facts.streams.values())
    if not facts.all_streams:
        return unknown(f"{waiting} wait; there are too many keys to find every stream", "see the app's own readers")
    return ok(f"{waiting} wait, in {len(facts.streams)} streams of apps and for Celery")


def check_waiting(facts: QueueFacts) -> Finding:
    """How long jobs wait for pages that may send."""
    found = []
    for lane, age in (("replies", facts.settings.replies_age), ("bulk", facts.settings.bulk_age)):
        waits = facts.lanes[lane]
        text = f"{lane}: {waits.conversations} conversations wait, one of page {waits.page} for {span(waits.oldest)}"
        if waits.oldest >= _MOST * age:
            found.append(bad(f"{text}; jobs expire at {span(age)}", _WAITING))
        elif waits.oldest >= (_REPLY if lane == "replies" else _HALF * age):
            found.append(warn(text, _WAITING))
    if found:
        return max(found, key=lambda one: one.state == "bad")
    seen, pages = facts.pages_seen
    some = f" (of {seen} of {pages} pages)" if seen < pages else ""
    told = [f"{lane} {waits.conversations}, at most {span(waits.oldest)}" for lane, waits in facts.lanes.items()]
    return ok(f"{'; '.join(told)}{some}")


def check_webhooks(facts: QueueFacts) -> Finding:
    """Whether what webhooks tell is taken in."""
    settings = facts.settings
    parts = [
        ("notices", facts.notices, settings.webhooks_cap, "ENVOI_WEBHOOKS_CAP"),
        ("receipts", facts.receipts, settings.receipts_cap, "ENVOI_RECEIPTS_CAP"),
    ]
    text = ", ".join(f"{number} {name} of {cap}" for name, number, cap, _ in parts)
    share = max(number / cap for _, number, cap, _ in parts)
    names = listed([setting for _, number, cap, setting in parts if number / cap >= _NEARLY])
    if share >= _FULL:
        return bad(f"{text}: more are refused or dropped", f"see schedulers and sql; {names} is the bound")
    return warn(text, f"see schedulers and sql; {names} is the bound") if share >= _NEARLY else ok(f"{text} wait")


_WAITING = "see workers, page-pauses and the pages' pace; add workers if their CPUs are busy"
CHECKS = (
    Check("door", check_door),
    Check("waiting", check_waiting),
    Check("log-lag", check_log_lag),
    Check("log-aside", check_aside),
    Check("outcomes", check_outcomes),
    Check("webhook-backlog", check_webhooks),
)


def _lag(backlog: Backlog, cap: int, what: str, advice: str) -> Finding:
    share = backlog.entries / cap
    text = f"{backlog.entries} {what}, the oldest for {span(backlog.age)}"
    if share >= _FULL:
        return bad(f"{text}; at {cap} enqueueing is refused (ENVOI_EVENTS_CAP)", advice)
    if backlog.entries and backlog.age >= _LONG_LAG:
        return bad(text, advice)
    if share >= _NEARLY or (backlog.entries and backlog.age >= _LAG):
        return warn(text, advice)
    return ok(f"{backlog.entries} {what}")
