"""Search: a job by its id, message id or key; a person by id."""

from __future__ import annotations

from starlette.responses import Response

from envoi.console.answer import rendered, sent_to
from envoi.console.ask import Ask
from envoi.console.house import House
from envoi.console.showing import conversation_path
from envoi.ids import JOB_ID
from envoi.log import browsing
from envoi.standing import Whose

_LONGEST = 1000  # characters: message ids and keys are shorter


def show(house: House, ask: Ask) -> Response:
    """What was found; what is the only one is shown at once."""
    word = "".join(character for character in ask.query.get("q").strip() if character.isprintable())[:_LONGEST]
    jobs, people = browsing.search(house.engine, word) if word else ([], [])
    if len(jobs) == 1 and not people:
        return sent_to(f"/jobs/{jobs[0].id}")
    if len(people) == 1 and not jobs:
        return sent_to(conversation_path(people[0].page_id, people[0].recipient_kind, people[0].recipient))
    if not jobs and not people:
        if JOB_ID.fullmatch(word.upper()):
            return sent_to(f"/jobs/{word.upper()}")  # the queue may know it already
        try:
            return sent_to(conversation_path(*Whose.of(word)))  # as logs and alerts name it
        except ValueError:
            pass
    return rendered(house, ask, "search.html", word=word, jobs=jobs, people=people)
