"""Reading a multipart form (SEND_API 1: ``recipient`` and ``message`` as JSON strings, and one part ``filedata``)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.errors import invalid

_BOUNDARY = re.compile(r"""boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))""", re.IGNORECASE)
_NAME = re.compile(r"""[;\s]name="([^"]*)\"""", re.IGNORECASE)
_FILENAME = re.compile(r"""[;\s]filename\*?=""", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class File:
    """A file that came with a request; its content is not kept.

    Attributes:
        name: of the part; Meta's samples say ``filedata``.
        content_type: as the part says, empty where it does not.
        size: in bytes.
    """

    name: str
    content_type: str
    size: int


def read_multipart(content_type: str, body: bytes) -> tuple[dict[str, object], list[File]]:
    """The fields and the files of a multipart form.

    Raises:
        Refused: 100; it is not one.
    """
    fields: dict[str, object] = {}
    files: list[File] = []
    for headers, content in _parts(content_type, body):
        disposition = headers.get("content-disposition", "")
        name = _NAME.search(disposition)
        if name is None:
            raise invalid("A part of the multipart body has no name")
        if _FILENAME.search(disposition):
            files.append(File(name[1], headers.get("content-type", ""), len(content)))
            continue
        try:
            fields[name[1]] = content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise invalid("A field of the multipart body is not UTF-8") from error
    return fields, files


def _parts(content_type: str, body: bytes) -> Iterator[tuple[dict[str, str], bytes]]:
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise invalid("The content type names no multipart boundary")
    delimiter = b"\r\n--" + (found[1] or found[2]).encode("utf-8", "replace")
    # With the line end that a delimiter starts with, the first one is like the others.
    _, *parts = (b"\r\n" + body).split(delimiter)
    if not parts or not parts.pop().startswith(b"--"):
        raise invalid("The multipart body is not complete")
    for part in parts:
        head, separator, content = part.partition(b"\r\n\r\n")
        if not separator or not head.startswith(b"\r\n"):
            raise invalid("A part of the multipart body has no headers")
        yield dict(_header(line) for line in head.decode("utf-8", "replace").split("\r\n") if line), content


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip().lower(), value.strip()
