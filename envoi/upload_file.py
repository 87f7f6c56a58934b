"""The file that is uploaded: looked at before anything is sent (SEND_API 3, Media)."""

from __future__ import annotations

import mimetypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, get_args

from envoi.errors import InvalidUpload, Problem

Kind = Literal["image", "video", "audio", "file"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_MB = 1024 * 1024
LIMIT = 25 * _MB  # bytes
INSTAGRAM_IMAGE_LIMIT = 8 * _MB  # bytes
_INSTAGRAM_TYPES: dict[str, tuple[str, ...]] = {
    "image": ("image/png", "image/jpeg", "image/gif"),
    "audio": ("audio/aac", "audio/mp4", "audio/x-m4a", "audio/wav", "audio/x-wav"),
    "video": ("video/mp4", "video/ogg", "video/x-msvideo", "video/quicktime", "video/webm"),
    "file": ("application/pdf",),
}
_FALLBACK = "application/octet-stream"
_HEAD = 16  # bytes that tell what a file is

# The first bytes of common files: where, what, and the media that may begin so; none: not media that Meta shows.
_MAGIC: tuple[tuple[int, bytes, tuple[Kind, ...]], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", ("image",)),
    (0, b"\xff\xd8\xff", ("image",)),
    (0, b"GIF8", ("image",)),
    (8, b"WEBP", ("image",)),
    (8, b"WAVE", ("audio",)),
    (8, b"AVI ", ("video",)),
    (0, b"ID3", ("audio",)),
    (0, b"OggS", ("audio", "video")),
    (4, b"ftyp", ("audio", "video", "image")),  # mp4, m4a, mov, heic
    (0, b"\x1aE\xdf\xa3", ("audio", "video")),  # webm
    (0, b"%PDF-", ()),
    (0, b"PK\x03\x04", ()),
    (0, b"<!DOCTYPE", ()),
    (0, b"<html", ()),
    (0, b"{", ()),
    (0, b"MZ", ()),
)


@dataclass(frozen=True, slots=True)
class MediaFile:
    """A file that may be uploaded, open at its beginning.

    Attributes:
        name: as Meta is told it.
        kind: of attachment.
        content_type: its media type.
        size: bytes.
    """

    stream: BinaryIO
    name: str
    kind: Kind
    content_type: str
    size: int


@contextmanager
def opened(
    file: str | os.PathLike[str] | BinaryIO, kind: str | None, *, name: str | None, platform: str
) -> Iterator[MediaFile]:
    """Open a file and look at it.

    Args:
        file: a path, or an open binary file that can seek; the latter stays open.
        kind: image, video, audio or file; None: by its media type.
        name: the file's name, in place of its own.
        platform: whose limits hold, "messenger" or "instagram".

    Raises:
        InvalidUpload: it cannot be read, or Meta would refuse it; names the file and the limit.
    """
    own = isinstance(file, (str, os.PathLike))
    called = name or (Path(file).name if isinstance(file, (str, os.PathLike)) else _name_of(file))
    try:
        stream = Path(file).open("rb") if isinstance(file, (str, os.PathLike)) else file  # noqa: SIM115  # closed below
        try:
            yield _looked_at(stream, called, kind, platform)
        finally:
            if own:
                stream.close()
    except (OSError, ValueError) as error:
        if isinstance(error, InvalidUpload):
            raise
        raise InvalidUpload(Problem("file", f"{called}: cannot be read ({type(error).__name__})")) from error


def _name_of(stream: BinaryIO) -> str:
    name = getattr(stream, "name", None)
    return Path(name).name if isinstance(name, str) else "file"


def _looked_at(stream: BinaryIO, name: str, kind: str | None, platform: str) -> MediaFile:
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    head = stream.read(_HEAD)
    stream.seek(0)
    if not isinstance(head, bytes):
        raise InvalidUpload(Problem("file", f"{name}: must be opened in binary mode"))
    content_type = mimetypes.guess_type(name)[0] or _FALLBACK
    said = content_type.partition("/")[0]
    chosen = kind or (said if said in KINDS else "file")
    if chosen not in KINDS:
        raise InvalidUpload(Problem("type", f"must be one of {', '.join(KINDS)}", "SEND_API 3"))
    found = MediaFile(stream, name, chosen, content_type, size)
    wrong = [*_problems(found, said, head), *(_instagram_problems(found) if platform == "instagram" else ())]
    if wrong:
        raise InvalidUpload(*wrong)
    return found


def _problems(file: MediaFile, said: str, head: bytes) -> Iterator[Problem]:
    if file.size == 0:
        yield Problem("file", f"{file.name}: must not be empty")
    if file.size > LIMIT:
        yield Problem("file", _too_large(file, LIMIT), "SEND_API 3")
    if file.kind == "file":
        return
    if said != file.kind and file.content_type != _FALLBACK:
        yield Problem("type", f"{file.name} is {file.content_type}, not {file.kind}", "SEND_API 4, 2018047")
        return
    for at, magic, kinds in _MAGIC:
        if head[at : at + len(magic)] == magic:
            if file.kind not in kinds:
                yield Problem("type", f"{file.name}: its content is not {file.kind}", "SEND_API 4, 2018047")
            return


def _instagram_problems(file: MediaFile) -> Iterator[Problem]:
    allowed = _INSTAGRAM_TYPES[file.kind]
    if file.content_type not in allowed:
        yield Problem("file", f"{file.name}: must be one of {', '.join(allowed)} for Instagram", "SEND_API 3")
    if file.kind == "image" and file.size > INSTAGRAM_IMAGE_LIMIT:
        yield Problem("file", f"{_too_large(file, INSTAGRAM_IMAGE_LIMIT)} for an image on Instagram", "SEND_API 3")


def _too_large(file: MediaFile, limit: int) -> str:
    return f"{file.name}: {file.size} bytes; at most {limit} ({limit // _MB} MB)"
