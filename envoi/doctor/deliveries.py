"""Whether anybody delivers: the gate, schedulers, workers, bells, leases."""

from __future__ import annotations

from envoi.doctor.finding import Check, Finding, bad, listed, ok, span, unknown, warn
from envoi.doctor.queue_facts import QueueFacts

_GONE = 20.0  # seconds: a scheduler gives a sign of life every 5
_STALE = 15.0  # seconds since the last good turn of a duty that turns at least every 2
_BEHIND = 5.0  # seconds of lag that are worth a word
_TURNING = ("gate", "due", "room")


def check_gate(facts: QueueFacts) -> Finding:
    """Whether the queue is open for this run of Redis."""
    if facts.epoch is None and facts.recovering:
        return bad("a wiped queue is being recovered: send is refused until that is done", "wait for `envoi recover`")
    if facts.epoch is None:
        advice = "start `envoi scheduler`; if its log says that Redis was wiped, run `envoi recover`"
        return bad("the queue has no epoch: no scheduler has opened it, or Redis was wiped; send is refused", advice)
    if facts.epoch != facts.run:
        away = sorted(set(facts.workers) - facts.back)
        waits = f", waiting for {listed(away, 3)}" if away else ""
        advice = "wait for about a lease; if it stays so, see the log of `envoi scheduler`"
        return bad(f"Redis has restarted and the queue is not open yet{waits}: nothing is delivered", advice)
    if facts.missing:
        text = f"the queue is open, but scripts of this version are not loaded: {listed(facts.missing)}"
        return bad(text, "start `envoi scheduler` of this version; it loads them")
    return ok("the queue is open")


def check_schedulers(facts: QueueFacts) -> Finding:
    """Whether a scheduler lives, and turns its duties."""
    alive = {name: sign for name, (heard, sign) in facts.schedulers.items() if heard < _GONE}
    if not alive:
        last = min((heard for heard, _ in facts.schedulers.values()), default=None)
        since = "" if last is None else f" for {span(last)}"
        text = f"no scheduler has given a sign of life{since}: no due times, no rescue, no log"
        return bad(text, "start `envoi scheduler`")
    stuck = {
        f"{duty} of {name}"
        for name, sign in alive.items()
        for duty in _TURNING
        if duty in sign.duties and ((ago := sign.duties[duty]) is None or ago > _STALE)
    }
    troubles = sorted(
        {f"{part}: {', '.join(kinds)}" for sign in alive.values() for part, kinds in sign.troubles.items()}
    )
    if stuck:
        met = f"; in trouble: {listed(troubles)}" if troubles else ""
        return bad(f"duties that do not get done: {listed(sorted(stuck))}{met}", "see the scheduler's log")
    if troubles:
        return warn(f"schedulers meet trouble: {listed(troubles)}", "see the scheduler's log, which says it in full")
    versions = sorted({sign.version for sign in alive.values()})
    if len(versions) > 1:
        return warn(f"schedulers of {len(versions)} versions: {listed(versions)}", "bring all to one version")
    return ok(f"{len(alive)} alive, of version {versions[0]}{_leaders(facts)}")


def _leaders(facts: QueueFacts) -> str:
    """Who leads what, how long ago it was done last, and how far it is behind, where that is worth a word."""
    found: dict[str, tuple[str, str]] = {}
    for name, (heard, sign) in sorted(facts.schedulers.items(), key=lambda item: -item[1][0]):  # the newest word counts
        for work, led in (sign.leads or {}).items() if heard < _GONE else ():
            notes = [f"last done {span(led.ran + heard)} ago"] if led.ran and led.ran > _STALE else []
            notes += [f"{span(led.lag)} behind"] if led.lag and led.lag > _BEHIND else []
            found[work] = name, f"{work} ({', '.join(notes)})" if notes else work
    by_leader: dict[str, list[str]] = {}
    for _, (name, text) in sorted(found.items()):
        by_leader.setdefault(name, []).append(text)
    return "".join(f"; {name} leads {', '.join(works)}" for name, works in sorted(by_leader.items()))


def check_workers(facts: QueueFacts) -> Finding:
    """Whether a worker lives."""
    alive = [heard for heard in facts.workers.values() if heard < facts.settings.lease]
    if alive:
        return ok(f"{len(alive)} alive, holding {facts.held} conversations")
    waiting = sum(lane.conversations for lane in facts.lanes.values())
    if waiting:
        return bad(f"no worker is there, and {waiting} conversations wait", "start `envoi worker`")
    return warn("no worker is there; nothing waits", "start `envoi worker` before something does")


def check_bells(facts: QueueFacts) -> Finding:
    """Whether workers can be woken."""
    cap = facts.settings.bells_cap
    if not facts.template:
        advice = "start a worker, or restart one: it leaves the bell that scripts copy"
        return warn("there is no bell to copy: idle workers hear of work late or never", advice)
    if facts.bells >= cap and not any(heard < facts.settings.lease for heard in facts.workers.values()):
        return warn(f"{facts.bells} bells are unread and nobody is there to read them", "start `envoi worker`")
    if facts.bells > cap:
        return warn(f"{facts.bells} bells are unread, more than {cap}: somebody else writes there", "see who does")
    return ok(f"{facts.bells} unread, at most {cap}")


def check_overdue(facts: QueueFacts) -> Finding:
    """Whether leases that ran out, due times and `at` times are acted on."""
    if not facts.overdue:
        return ok("nothing is late")
    text = f"{facts.overdue} leases or due times are over for more than 5 s"
    if facts.epoch != facts.run:
        return unknown(f"{text}; nothing is moved while the queue is shut", "see gate first")
    return bad(f"{text}, and no scheduler has moved them", "see schedulers; if one is there, start another")


REACH = Check("gate", check_gate)
CHECKS = (
    Check("schedulers", check_schedulers),
    Check("workers", check_workers),
    Check("bells", check_bells),
    Check("overdue", check_overdue),
)
