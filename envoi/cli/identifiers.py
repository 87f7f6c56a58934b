"""Ids and addresses that several commands take, checked before anything is done."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from envoi.cli import completion
from envoi.fields import APP_ID, GRAPH_URL, PAGE_ID, PAGE_ID_LIMIT


def _page(text: str) -> str:
    if not re.fullmatch(PAGE_ID, text):
        raise typer.BadParameter(PAGE_ID_LIMIT)
    return text


def _app(text: str | None) -> str | None:
    if text is not None and not re.fullmatch(APP_ID, text):
        raise typer.BadParameter("must be Meta's number of the app: 1 to 32 digits")
    return text


def _graph_url(text: str | None) -> str | None:
    if text is not None and not re.fullmatch(GRAPH_URL, text):
        raise typer.BadParameter(
            "must be an address such as https://graph.instagram.com, without a password and a query"
        )
    return None if text is None else text.rstrip("/")


PageId = Annotated[
    str, typer.Argument(metavar="PAGE", help="The page's id.", callback=_page, autocompletion=completion.pages)
]
Sender = Annotated[str, typer.Argument(metavar="PAGE", help="The sender's page id.", autocompletion=completion.pages)]
AppId = Annotated[
    str,
    typer.Argument(metavar="APP_ID", help="Meta's number of the app.", callback=_app, autocompletion=completion.apps),
]
OfApp = Annotated[
    str | None,
    typer.Option(
        "--app",
        metavar="APP_ID",
        callback=_app,
        autocompletion=completion.apps,
        help="Its app, if not that of ENVOI_APP_SECRET.",
    ),
]
GraphUrl = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        callback=_graph_url,
        help="Its Graph host, if not ENVOI_GRAPH_URL; https://graph.instagram.com for Instagram login.",
    ),
]
