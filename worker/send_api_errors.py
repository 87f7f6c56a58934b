"""For docs/send-api.md: what every answer leads to, from the table of codes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from worker.codes import TABLE, Class, Row

# By class: what becomes of the job, and of what waits behind it (DESIGN 4).
_CONSEQUENCES = {
    Class.TRY_LATER: "Not sent. The job is tried again after a backoff, until its attempts or its age run out. "
    "The conversation waits, others do not.",
    Class.TRY_LATER_ANSWERED: "Graph says that it failed, which is mostly true. As above, but not at once: the "
    "first wait is at least 5 seconds.",
    Class.THROTTLE_APP: "Not sent. Every page of the app is held for the time that the answer's headers give, else "
    "`ENVOI_THROTTLE_WAIT`. Costs the job no attempt.",
    Class.THROTTLE_PAGE: "Not sent. The page is held, as above. Costs no attempt.",
    Class.THROTTLE_RECIPIENT: "Not sent. This person's conversation is held, as above. Costs no attempt.",
    Class.REFUSED_MESSAGE: "Never sent. The job has failed; the next one to this person goes on.",
    Class.REFUSED_RECIPIENT: "Never sent. The job has failed, and so do the later ones to this person, without a call, "
    "until the person writes again or `ENVOI_REFUSAL_TTL` has passed. Outside the window this holds for messages "
    "without a tag only.",
    Class.REFUSED_PAGE: "Not sent. The page pauses and the job waits with all others of the page; nothing is failed. "
    "It goes on with a new token (`envoi pages rotate`) or with `envoi pages resume`.",
    Class.UNKNOWN: "Nobody can say whether it was sent. The job is settling, its conversation waits, nothing is sent "
    "again; it ends `sent` with proof, else `unknown`.",
}
_HEAD = """
## What answers lead to

| class | what becomes of the job |
|---|---|
"""
_WITHOUT_CODE = """
Answers without a code that is in the table below:

| answer | class |
|---|---|
| 2xx with a message id | accepted: the job is sent |
| no connection, name not found, TLS refused: the request never left | try later |
| no answer after the request began to be written: time-out, reset | unknown |
| 2xx without a message id, or not readable; an error and a message id at once | unknown |
| 4xx or 5xx without a Graph error in the body | unknown |
| a Graph error with a code that is not listed: with status 5xx, or marked `is_transient` | unknown |
| the same with status 429 | throttle page |
| the same with any other status | refused message |
| usage headers at 95 % or more, whatever the answer | besides: the page is held |

An error on a sender action (typing, seen) never fails, delays or repeats a message.

## Error codes

By code and subcode, never by HTTP status or text; a subcode without a row counts as its code. Confidence: V verified,
L likely.

| code | subcode | meaning | class | confidence | source |
|---|---|---|---|---|---|
"""


def error_tables() -> str:
    """The classes, the answers without a code, and the table of codes."""
    classes = "".join(f"| {one.value} | {_CONSEQUENCES[one]} |\n" for one in Class)
    return _HEAD + classes + _WITHOUT_CODE + "".join(_rows())


def _rows() -> Iterator[str]:
    """A line for each row; codes in sequence that mean the same share one."""
    numbered = enumerate(TABLE)
    for _, run in groupby(
        numbered, lambda one: (one[1].code - one[0], _said(one[1])) if one[1].subcode is None else one[0]
    ):
        rows = [row for _, row in run]
        code = str(rows[0].code) if len(rows) == 1 else f"{rows[0].code} to {rows[-1].code}"
        subcode = "" if rows[0].subcode is None else str(rows[0].subcode)
        yield f"| {code} | {subcode} | {_said(rows[0])} |\n"


def _said(row: Row) -> str:
    tries = f", {row.tries} attempts at most" if row.tries else ""
    wait = f", {row.wait:g} seconds where no header says" if row.wait else ""
    return f"{row.meaning} | {row.outcome.value}{tries}{wait} | {row.confidence} | {row.source}"
