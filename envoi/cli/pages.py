"""Pages: their tokens and limits in the log, and what the queue is told of them.

The log's ``paused_since`` is an operator's pause. Workers pause a page in the queue only, for instance when its token
is dead; such a pause ends with the next token, an operator's does not.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal

import typer

from envoi.cli.failures import plain
from envoi.cli.identifiers import GraphUrl, OfApp, PageId
from envoi.cli.output import AsJson, print_json, print_line, print_table
from envoi.cli.token import read_token
from envoi.client import open_queue

app = typer.Typer(name="pages", help="The pages that Envoi sends for.", no_args_is_help=True)

Check = Annotated[bool, typer.Option("--check/--no-check", help="Ask Graph about the token first.")]


def _pace(value: float | None) -> float | None:
    if value is not None and not (math.isfinite(value) and 0 < value <= 1000):  # noqa: PLR2004  # as ENVOI_PAGE_PACE
        raise typer.BadParameter("must be more than 0 and at most 1000")
    return value


@app.command("add")
def add(
    page: PageId,
    *,
    platform: Annotated[Literal["messenger", "instagram"], typer.Option(help="Where it is.")] = "messenger",
    app_id: OfApp = None,
    graph_url: GraphUrl = None,
    check: Check = True,
    pace: Annotated[
        float | None,
        typer.Option(
            callback=_pace, metavar="N", help="Messages per second; the default of its platform if not given."
        ),
    ] = None,
    media_pace: Annotated[
        float | None,
        typer.Option(callback=_pace, metavar="N", help="Of these, media; ENVOI_PAGE_MEDIA_PACE if not given."),
    ] = None,
    cap: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Calls in flight; ENVOI_PAGE_CAP if not given.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Add a page, or replace what is known of it. Its token is read from standard input.

    Graph is asked whose the token is and, where the app's id and secret are known, what it may do.

    Example: `envoi pages add 1234567890 --pace 40 < token.txt`
    """
    from envoi.cli import log, queued_page, token_asked  # noqa: PLC0415  # loads SQLAlchemy

    token = read_token()
    with log.opened_pages() as store:
        if check:
            token_asked.see(page, token, platform, app_id, graph_url)
        added = store.add(
            page,
            token,
            platform=platform,
            pace=pace,
            media_pace=media_pace,
            cap=cap,
            app=app_id,
            graph_url=graph_url,
        )
    queued_page.tell_pages([added])
    _show_version(page, added.token_version, as_json=as_json)


@app.command("rotate")
def rotate(page: PageId, *, check: Check = True, as_json: AsJson = False) -> None:
    """Give a page its next token, read from standard input. A page paused for its old one goes on.

    Example: `envoi pages rotate 1234567890 < token.txt`
    """
    from envoi.cli import log, queued_page, token_asked  # noqa: PLC0415  # loads SQLAlchemy

    token = read_token()
    with log.opened_pages() as store:
        known = store.get(page)
        if check:
            token_asked.see(page, token, known.platform, known.app_id, known.graph_url)
        rotated = store.rotate(page, token)
    queued_page.tell_pages([rotated])
    _show_version(page, rotated.token_version, as_json=as_json)


@app.command("reseal")
def reseal(*, as_json: AsJson = False) -> None:
    """Encrypt every token and app secret with the newest key.

    That is the first of ENVOI_SECRET_KEYS; afterwards older ones can be taken away. Tokens stay what they are: workers
    go on, also while this runs.

    Example: `envoi pages reseal`
    """
    from envoi.cli import log  # noqa: PLC0415  # loads SQLAlchemy

    with log.opened_pages() as store:
        count = store.reseal()
    if as_json:
        print_json({"resealed": count})
    else:
        print_line(f"{count} tokens and secrets are encrypted with the newest key")


@app.command("list")
def show_pages(*, as_json: AsJson = False) -> None:
    """List all pages, with what the queue says of them. Tokens are not shown.

    Example: `envoi pages list`
    """
    from envoi.cli import pages_list  # noqa: PLC0415  # loads SQLAlchemy

    found = pages_list.rows()
    if as_json:
        print_json({"pages": found})
    else:
        print_table(pages_list.FIELDS, [[fields[name] for name in pages_list.FIELDS] for fields in found])


@app.command("pause")
def pause(
    page: PageId,
    *,
    reason: Annotated[str, typer.Option(help="Shown by `pages list`.")] = "by an operator",
    as_json: AsJson = False,
) -> None:
    """Stop sending for a page; its jobs wait. Calls in flight end as they would.

    Example: `envoi pages pause 1234567890 --reason "the shop is closed"`
    """
    from envoi.cli import log  # noqa: PLC0415  # loads SQLAlchemy
    from envoi.page_desk import PageDesk  # noqa: PLC0415  # as above

    with log.opened_pages(keys=False) as store:
        PageDesk(store, open_queue()).pause(page, plain(reason))
    _show_paused(page, paused=True, as_json=as_json)


@app.command("resume")
def resume(page: PageId, *, as_json: AsJson = False) -> None:
    """Let a paused page send again.

    Example: `envoi pages resume 1234567890`
    """
    from envoi.cli import log  # noqa: PLC0415  # loads SQLAlchemy
    from envoi.page_desk import PageDesk  # noqa: PLC0415  # as above

    with log.opened_pages(keys=False) as store:
        PageDesk(store, open_queue()).resume(page)
    _show_paused(page, paused=False, as_json=as_json)


def _show_version(page: str, version: int, *, as_json: bool) -> None:
    if as_json:
        print_json({"id": page, "token_version": version})
    else:
        print_line(f"page {page}: token version {version}, encrypted")


def _show_paused(page: str, *, paused: bool, as_json: bool) -> None:
    if as_json:
        print_json({"id": page, "paused": paused})
    else:
        print_line(f"page {page}: " + ("paused" if paused else "sends again"))
