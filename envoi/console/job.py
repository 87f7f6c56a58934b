"""One job, with all its calls."""

from __future__ import annotations

from starlette.responses import Response

from envoi.client import JobStatus
from envoi.console.answer import NotHere, rendered
from envoi.console.ask import Ask
from envoi.console.house import House
from envoi.console.words import let_read
from envoi.errors import EnvoiError
from envoi.ids import JOB_ID
from envoi.log import letters, queries
from envoi.log.letters import DEAD
from envoi.states import State

_CANCELLABLE = frozenset({State.SCHEDULED, State.QUEUED, State.RETRYING, State.SENDING})


def show(house: House, ask: Ask) -> Response:
    """The job, without what was written."""
    return _page(house, ask, words=False)


def show_words(house: House, ask: Ask) -> Response:
    """The job with what was written: somebody has asked for it, and the console's log says so."""
    let_read(house, ask, job_id=ask.named["job"])
    return _page(house, ask, words=True)


def _page(house: House, ask: Ask, *, words: bool) -> Response:
    job_id = ask.named["job"]
    if not JOB_ID.fullmatch(job_id):
        raise NotHere("a job's id has 26 capital letters and digits")
    found = queries.job(house.engine, job_id)
    live = _live(house, job_id)
    if found is None and live is None:
        raise NotHere(f"neither log nor queue has a job {job_id}")
    letter = letters.find(house.engine, [job_id]).get(job_id)
    return rendered(
        house,
        ask,
        "job.html",
        job_id=job_id,
        job=found,
        live=live,
        state=live.state if live else found.state if found else None,
        calls=queries.calls_of(house.engine, job_id),
        replays=letter.replays if letter else 0,
        last_replay=letter.last_replay if letter else None,
        words=words,
        may_show=house.settings.console_texts == "show",
        dead=DEAD,
        states=State,
        cancellable=_CANCELLABLE,
    )


def _live(house: House, job_id: str) -> JobStatus | None:
    """What the queue says of it, if it says anything: it knows a change a moment before the log."""
    try:
        return house.client.status(job_id)
    except EnvoiError:
        return None  # forgotten, or not reachable: the log stands for it
