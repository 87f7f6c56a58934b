"""Apps: the secrets of Meta apps, for pages that are not of the app of ENVOI_APP_SECRET."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from envoi.cli.failures import plain
from envoi.cli.identifiers import AppId, GraphUrl
from envoi.cli.output import AsJson, print_json, print_line, print_table
from envoi.cli.token import read_secret

app = typer.Typer(name="apps", help="The Meta apps that pages belong to.", no_args_is_help=True)

_FIELDS = ("id", "name", "graph_url", "pages", "updated_at")
_NAME = 200  # characters


@app.command("add")
def add(
    app_id: AppId,
    *,
    name: Annotated[str | None, typer.Option(help="For you to know it by.")] = None,
    graph_url: GraphUrl = None,
    as_json: AsJson = False,
) -> None:
    """Add an app, or replace what is known of it. Its secret is read from standard input.

    Workers take a new secret at the next call of each of its pages.

    Example: `envoi apps add 3333333333 --name Shop < secret.txt`
    """
    from envoi.cli import log, queued_page  # noqa: PLC0415  # loads SQLAlchemy

    secret = read_secret("secret")
    with log.opened_apps() as store:
        pages = store.add(app_id, secret, None if name is None else plain(name)[:_NAME], graph_url)
    queued_page.tell_pages(pages)
    if as_json:
        print_json({"id": app_id, "pages": [page.id for page in pages]})
    else:
        print_line(f"app {app_id}: its secret, encrypted; {len(pages)} page(s) told")


@app.command("list")
def show_apps(*, as_json: AsJson = False) -> None:
    """List all apps. Secrets are not shown.

    Example: `envoi apps list`
    """
    from envoi.cli import log  # noqa: PLC0415  # loads SQLAlchemy

    with log.opened_apps(keys=False) as store:
        found = [asdict(one) for one in store.list()]
    if as_json:
        print_json({"apps": found})
    else:
        print_table(_FIELDS, [[fields[name] for name in _FIELDS] for fields in found])


@app.command("remove")
def remove(app_id: AppId, *, as_json: AsJson = False) -> None:
    """Forget an app and its secret. Refused while a page belongs to it.

    Example: `envoi apps remove 3333333333`
    """
    from envoi.cli import log  # noqa: PLC0415  # loads SQLAlchemy

    with log.opened_apps(keys=False) as store:
        store.remove(app_id)
    if as_json:
        print_json({"id": app_id, "removed": True})
    else:
        print_line(f"app {app_id}: removed")
