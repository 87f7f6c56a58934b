"""What operators do with jobs: replay, discard, resolve, cancel, those that are ticked or all of a kind at once."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Literal

from starlette.responses import Response

from envoi.console.acting import Act, perform
from envoi.console.ask import Ask, BadForm
from envoi.console.house import House
from envoi.console.jobs import filter_of
from envoi.console.notes import Note
from envoi.errors import EnvoiError
from envoi.ids import JOB_ID
from envoi.replay import Choice, Discard, Replay
from envoi.sendapi.tags import RetiredTag
from envoi.states import State

AT_ONCE = 500  # dead letters that one form replays or discards
_TOLD = 8  # reasons in a note
_MESSAGE_ID = 1000  # characters


def on_jobs(house: House, ask: Ask) -> Response:
    """Replay, discard, resolve or cancel the jobs of a form."""
    return perform(house, ask, _ACTS, lambda name: _question(name, ask))


def _question(name: str, ask: Ask) -> str | None:
    """What to ask about before it is done; None: it can be taken back, or does no harm."""
    jobs, state = ask.form.all("job"), ask.form.get("state")
    what = f"up to {AT_ONCE} of these jobs, the oldest first" if _all(ask) else number_of(len(jobs))
    if name == "discard":
        return f"Delete the messages of {what}? They cannot be replayed any more; rows and calls stay."
    if name == "not-sent":
        return "Say that it was not sent? The next attempt follows: if it was sent after all, the person gets it twice."
    if name == "cancel":
        return f"Cancel {what}?"
    if name == "replay" and state == State.UNKNOWN:
        return f"Replay {what}? They may have been sent: the person may get such a message twice."
    if name == "replay" and _all(ask):
        return f"Replay {what}? Those replayed before are left out."
    return None


def _all(ask: Ask) -> bool:
    return ask.form.get("all") == "1"


def _chosen(ask: Ask) -> Sequence[str] | Choice:
    """Which jobs a form means: those ticked, or all of its state and page."""
    if _all(ask):
        wanted = filter_of(ask.form)
        if not wanted.dead or wanted.state is None:
            raise BadForm("only failed, expired and unknown jobs can be meant all at once")
        return Choice(wanted.state, wanted.page, limit=AT_ONCE)
    return _jobs(ask)


def _jobs(ask: Ask) -> list[str]:
    """The jobs that a form names.

    Raises:
        BadForm: one of them is none.
    """
    found = ask.form.all("job")[:AT_ONCE]
    if not all(JOB_ID.fullmatch(job) for job in found):
        raise BadForm("a job's id has 26 capital letters and digits")
    return found


def _replay(house: House, ask: Ask) -> Note:
    unknown = ask.form.get("state") == State.UNKNOWN
    again = ask.form.get("again") == "1"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RetiredTag)  # it was told when the old job was enqueued
        results = list(house.letters.replay(_chosen(ask), again=again, unknown=unknown))
    new = results[0].replay_id if len(results) == 1 else None
    return _told("Replay", results, {"enqueued": "enqueued", "already": "replayed before"}, job=new)


def _discard(house: House, ask: Ask) -> Note:
    return _told("Discard", list(house.letters.discard(_chosen(ask))), {"already": "discarded before"})


def _sent(house: House, ask: Ask) -> Note:
    message_id = ask.form.get("message_id").strip()[:_MESSAGE_ID] or None
    return _each(ask, "Resolved as sent", lambda job: house.client.resolve(job, "sent", message_id).state)


def _not_sent(house: House, ask: Ask) -> Note:
    return _each(ask, "Resolved as not sent", lambda job: house.client.resolve(job, "not-sent").state)


def _cancel(house: House, ask: Ask) -> Note:
    words = {"pending": "a worker holds it and decides before its message call", "too_late": "too late"}
    return _each(ask, "Cancel", lambda job: words.get(answer := house.client.cancel(job), answer))


def _each(ask: Ask, title: str, act: Callable[[str], str]) -> Note:
    """Do it to each job, whatever becomes of the others."""
    counts: Counter[str] = Counter()
    reasons = []
    jobs = _jobs(ask)
    for job in jobs:
        try:
            counts[str(act(job))] += 1
        except EnvoiError as error:
            counts["refused"] += 1
            reasons.append(str(error))
    return _note(title, counts, reasons, jobs[0] if len(jobs) == 1 else None)


def _told(title: str, results: Iterable[Replay | Discard], words: dict[str, str], job: str | None = None) -> Note:
    counts: Counter[str] = Counter()
    reasons = []
    for result in results:
        counts[words.get(result.result, result.result)] += 1
        if result.result == "refused":
            reasons.append(f"{result.job_id}: {result.reason}")
    return _note(title, counts, reasons, job)


def _note(title: str, counts: Counter[str], reasons: list[str], job: str | None) -> Note:
    told = ", ".join(f"{number} {word}" for word, number in counts.items())
    more = (f"and {len(reasons) - _TOLD} more",) if len(reasons) > _TOLD else ()
    kind: Literal["ok", "bad"] = "bad" if counts["refused"] or not counts else "ok"
    return Note(kind, f"{title}: {told or 'no jobs were chosen'}", (*islice(reasons, _TOLD), *more), job)


def number_of(jobs: int) -> str:
    """So many jobs, in words."""
    return "1 job" if jobs == 1 else f"{jobs} jobs"


_ACTS: dict[str, Act] = {
    "replay": _replay,
    "discard": _discard,
    "sent": _sent,
    "not-sent": _not_sent,
    "cancel": _cancel,
}
