"""``envoi broadcasts``: see broadcasts, and pause, resume or cancel one as a whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from envoi.broadcast.states import PEOPLE
from envoi.cli import completion
from envoi.cli.broadcast_report import show_report
from envoi.cli.output import AsJson, print_json, print_line, print_table

if TYPE_CHECKING:
    from envoi.broadcast.store import Broadcast, Broadcasts  # loads SQLAlchemy

app = typer.Typer(name="broadcasts", help="Broadcasts: one message to many people.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="BROADCAST", help="A broadcast's id.", autocompletion=completion.broadcasts)]
_COLUMNS = ("id", "page_id", "state", "recipients", "key", "created_at", "ended_at")
_PEOPLE = ("number", "recipient", "job_id", "state", "error_code", "error_subcode", "reason")


def _state(text: str | None) -> str | None:
    if text is not None and text not in PEOPLE:
        raise typer.BadParameter(f"must be one of {', '.join(PEOPLE)}")
    return text


@app.command("list")
def show_all(
    *,
    page: Annotated[
        str | None, typer.Option(metavar="PAGE", autocompletion=completion.pages, help="Only of this page.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List broadcasts, the newest first.

    Example: `envoi broadcasts list --page 1234567890`
    """
    with _opened() as store:
        found = [asdict(one) for one in store.newest(page=page, limit=limit)]
    if as_json:
        print_json({"broadcasts": found})
    else:
        print_table(_COLUMNS, [[row[name] for name in _COLUMNS] for row in found])


@app.command("show")
def show(
    broadcast: Id,
    *,
    follow: Annotated[bool, typer.Option("--follow", help="Show how it gets on, until it has ended.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show where a broadcast is.

    How many people have which outcome, and why some were not sent the message.

    Example: `envoi broadcasts show 01M86X3YDD2XQ34SMV5Q0EAHZB --follow`
    """
    if follow:
        from envoi.cli import broadcast_progress  # noqa: PLC0415  # loads SQLAlchemy

        broadcast_progress.follow(broadcast, as_json=as_json)
        return
    from envoi.broadcast.report import counted  # noqa: PLC0415  # loads SQLAlchemy

    with _opened() as store:
        found = store.get(broadcast)
        show_report(found, counted(store.engine, broadcast), as_json=as_json)


@app.command("recipients")
def recipients(
    broadcast: Id,
    *,
    state: Annotated[
        str | None,
        typer.Option(
            metavar="STATE",
            callback=_state,
            autocompletion=completion.words(*PEOPLE),
            help=f"Only those in this state: {', '.join(PEOPLE[:-1])} or {PEOPLE[-1]}.",
        ),
    ] = None,
    after: Annotated[int, typer.Option(min=0, metavar="N", help="Only those behind this number.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="At most so many.")] = 1000,
    as_json: AsJson = False,
) -> None:
    """List a broadcast's people, with what became of each.

    In the order of its list.

    Example: `envoi broadcasts recipients 01M86X3YDD2XQ34SMV5Q0EAHZB --state failed`
    """
    with _opened() as store:
        found = [asdict(one) for one in store.recipients(broadcast, state=state, after=after, limit=limit)]
    if as_json:
        print_json({"recipients": found})
    else:
        told = [{**row, "recipient": json.dumps(row["recipient"], ensure_ascii=False)} for row in found]
        print_table(_PEOPLE, [[row[name] for name in _PEOPLE] for row in told])


@app.command("pause")
def pause(broadcast: Id, *, as_json: AsJson = False) -> None:
    """Enqueue nothing more of it. What is enqueued goes on: as much as goes out in ENVOI_BROADCAST_AHEAD.

    Example: `envoi broadcasts pause 01M86X3YDD2XQ34SMV5Q0EAHZB`
    """
    with _opened() as store:
        _told(store.pause(broadcast), as_json=as_json)


@app.command("resume")
def resume(broadcast: Id, *, as_json: AsJson = False) -> None:
    """Let a paused one go on.

    Example: `envoi broadcasts resume 01M86X3YDD2XQ34SMV5Q0EAHZB`
    """
    with _opened() as store:
        _told(store.resume(broadcast), as_json=as_json)


@app.command("cancel")
def cancel(broadcast: Id, *, as_json: AsJson = False) -> None:
    """End it: a scheduler takes back what is not begun. Who has got the message has got it.

    Example: `envoi broadcasts cancel 01M86X3YDD2XQ34SMV5Q0EAHZB`
    """
    with _opened() as store:
        _told(store.cancel(broadcast), as_json=as_json)


def _told(broadcast: Broadcast, *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(broadcast))
    else:
        print_line(broadcast.state)


@contextmanager
def _opened() -> Iterator[Broadcasts]:
    from envoi.broadcast.store import open_broadcasts  # noqa: PLC0415  # loads SQLAlchemy

    with open_broadcasts() as store:
        yield store
