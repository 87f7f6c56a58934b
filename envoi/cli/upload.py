"""``envoi upload``: give Meta a local file, to be sent by its attachment id."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from envoi.cli.output import AsJson, print_json, print_line
from envoi.client import Envoi


def upload(
    page: Annotated[str, typer.Argument(metavar="PAGE", help="The page that will send it.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="At most 25 MB.")],
    *,
    kind: Annotated[
        str | None, typer.Option("--type", metavar="TYPE", help="image, video, audio or file; else by its name.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Upload a file, and print its attachment id.

    It can be sent for 90 days, by this page alone, as {"attachment": {"type": TYPE, "payload": {"attachment_id": ID}}}.

    Example: `envoi upload 1234567890 menu.png`
    """
    attachment_id = Envoi().upload(page, file, type=kind)
    if as_json:
        print_json({"attachment_id": attachment_id})
    else:
        print_line(attachment_id)
