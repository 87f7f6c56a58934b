"""What operators do: each act is a form, and what cannot be taken back is asked about once more."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Literal, Protocol

import structlog
from starlette.responses import Response

from envoi.cli.failures import plain
from envoi.console.answer import rendered, sent_to
from envoi.console.ask import Ask, BadForm
from envoi.console.conversation import whose_of
from envoi.console.house import House
from envoi.console.jobs import filter_of
from envoi.console.notes import Note
from envoi.errors import EnvoiError
from envoi.ids import JOB_ID
from envoi.replay import Choice
from envoi.sendapi.tags import RetiredTag
from envoi.states import State

AT_ONCE = 500  # dead letters that one form replays or discards
_TOLD = 8  # reasons in a note
_MESSAGE_ID = 1000  # characters

log = structlog.get_logger()

Act = Callable[[House, Ask], Note]


class Result(Protocol):
    """What became of one job."""

    @property
    def job_id(self) -> str:
        """Which job."""

    @property
    def result(self) -> str:
        """A word: ``refused`` where nothing was done."""

    @property
    def reason(self) -> str | None:
        """Why it was refused."""


def on_jobs(house: House, ask: Ask) -> Response:
    """Replay, discard, resolve or cancel the jobs of a form."""
    acts: dict[str, Act] = {
        "replay": _replay,
        "discard": _discard,
        "sent": _sent,
        "not-sent": _not_sent,
        "cancel": _cancel,
    }
    name = _act(ask, acts)
    if not ask.form.get("sure") and (question := _question(name, ask)):
        return _asked(house, ask, "/jobs/act", question)
    return _done(house, ask, name, acts[name])


def on_conversation(house: House, ask: Ask) -> Response:
    """Hold, release or clear a conversation."""
    acts: dict[str, Act] = {"hold": _hold, "release": _release, "cancel-all": _cancel_all}
    name = _act(ask, acts)
    if name == "cancel-all" and not ask.form.get("sure"):
        what = "Cancel every job of this conversation whose message call has not begun, scheduled ones too?"
        return _asked(house, ask, "/conversation/act", what)
    return _done(house, ask, name, acts[name])


def on_page(house: House, ask: Ask) -> Response:
    """Pause or resume a page."""
    acts: dict[str, Act] = {"pause": _pause, "resume": _resume}
    name = _act(ask, acts)
    return _done(house, ask, name, acts[name])


def on_broadcast(house: House, ask: Ask) -> Response:
    """Pause, resume or cancel a broadcast."""
    acts: dict[str, Act] = {
        name: lambda house, ask, name=name: _broadcast(house, ask, name)  # type: ignore[misc]  # its own default
        for name in ("pause", "resume", "cancel")
    }
    name = _act(ask, acts)
    if name == "cancel" and not ask.form.get("sure"):
        what = "Cancel this broadcast? It ends for good; who has got the message has got it."
        return _asked(house, ask, "/broadcasts/act", what)
    return _done(house, ask, f"broadcast-{name}", acts[name])


def _act(ask: Ask, acts: Iterable[str]) -> str:
    name = ask.form.get("act")
    if name not in acts:
        raise BadForm("no such act")
    return name


def _done(house: House, ask: Ask, name: str, act: Act) -> Response:
    """Do it, note what came of it, and go back. The console's log says who did what."""
    note = Note("bad", "Nothing was done")
    try:
        note = act(house, ask)
    except BadForm:
        raise
    except EnvoiError as error:
        note = Note("bad", f"{error}")
    session = ask.session.short if ask.session else None
    what = {field: ask.form.get(field) for field in ("page", "broadcast", "state") if ask.form.get(field)}
    log.info(
        "an operator acted",
        action="console_act",
        act=name,
        result=note.text,
        jobs=ask.form.all("job"),
        host=ask.host,
        session=session,
        **what,
    )
    if ask.session:
        house.notes.leave(ask.session.id, note)
    return sent_to(ask.back)


def _asked(house: House, ask: Ask, action: str, question: str) -> Response:
    fields = [pair for pair in ask.form.pairs if pair[0] not in {"token", "sure"}]
    return rendered(house, ask, "confirm.html", action=action, question=question, fields=fields, back=ask.back)


def _question(name: str, ask: Ask) -> str | None:
    """What to ask about before it is done; None: it can be taken back, or does no harm."""
    jobs, state = ask.form.all("job"), ask.form.get("state")
    what = f"up to {AT_ONCE} of these jobs, the oldest first" if _all(ask) else _number(len(jobs))
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


def _hold(house: House, ask: Ask) -> Note:
    whose = whose_of(ask.form)
    house.client.hold(whose.page, {whose.kind: whose.recipient})
    return Note("ok", "Held: nothing begins in this conversation until it is released")


def _release(house: House, ask: Ask) -> Note:
    whose = whose_of(ask.form)
    changed = house.client.release(whose.page, {whose.kind: whose.recipient})
    return Note("ok", "Released: what waits goes on" if changed else "It was not held")


def _cancel_all(house: House, ask: Ask) -> Note:
    whose = whose_of(ask.form)
    found = house.client.cancel_all(whose.page, {whose.kind: whose.recipient})
    going = (f"still under way: {found.going_on}",) if found.going_on else ()
    return Note("ok", f"Cancelled {_number(found.cancelled)}", going, found.going_on)


def _pause(house: House, ask: Ask) -> Note:
    page = ask.form.get("page")
    house.pages.pause(page, plain(ask.form.get("reason")) or "by an operator")
    return Note("ok", f"Page {page} is paused; its jobs wait")


def _resume(house: House, ask: Ask) -> Note:
    page = ask.form.get("page")
    house.pages.resume(page)
    return Note("ok", f"Page {page} sends again")


def _broadcast(house: House, ask: Ask, name: str) -> Note:
    change = {"pause": house.broadcasts.pause, "resume": house.broadcasts.resume, "cancel": house.broadcasts.cancel}
    return Note("ok", f"The broadcast is {change[name](ask.form.get('broadcast')).state}")


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


def _told(title: str, results: Iterable[Result], words: dict[str, str], job: str | None = None) -> Note:
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


def _number(jobs: int) -> str:
    return "1 job" if jobs == 1 else f"{jobs} jobs"
