"""``envoi upload``: give Meta a local file, to be sent by its attachment id."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO, cast

import typer

from envoi.cli import completion
from envoi.cli.output import AsJson, print_json, print_line
from envoi.cli.progress import Progress
from envoi.client import Envoi


def upload(
    page: Annotated[
        str, typer.Argument(metavar="PAGE", help="The page that will send it.", autocompletion=completion.pages)
    ],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="At most 25 MB.")],
    *,
    kind: Annotated[
        str | None,
        typer.Option(
            "--type",
            metavar="TYPE",
            autocompletion=completion.words("image", "video", "audio", "file"),
            help="image, video, audio or file; else by its name.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Upload a file, and print its attachment id.

    It can be sent for 90 days, by this page alone, as {"attachment": {"type": TYPE, "payload": {"attachment_id": ID}}}.

    Example: `envoi upload 1234567890 menu.png`
    """
    client = Envoi()
    with Progress() as progress, _watched(file, progress) as watched:
        attachment_id = client.upload(page, watched, type=kind)
    if as_json:
        print_json({"attachment_id": attachment_id})
    else:
        print_line(attachment_id)


@contextmanager
def _watched(file: Path, progress: Progress) -> Iterator[Path | BinaryIO]:
    """The file, which shows how it is read; one that cannot be opened as it is, for the client to say why."""
    try:
        stream = _Watched(str(file), progress)
    except OSError:
        yield file
        return
    with stream:
        yield cast("BinaryIO", stream)


class _Watched(io.FileIO):
    """A file that shows how it is read."""

    def __init__(self, file: str, progress: Progress) -> None:
        super().__init__(file)
        self._progress = progress
        self._size = self.seek(0, io.SEEK_END)
        self.seek(0)

    def read(self, size: int | None = -1, /) -> bytes:
        block = super().read(size)
        self._progress.show(self.tell(), self._size, said="bytes are sent")
        return block
