"""The body of an upload: a multipart form that is read from the file as it is sent (SEND_API 1, Encodings)."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import BinaryIO

from envoi.upload_file import MediaFile

_BLOCK = 65_536  # bytes


class FileChangedError(Exception):
    """The file has become shorter while it was sent."""


class UploadForm:
    """A multipart form with one file, ``filedata``; never in memory as a whole.

    Args:
        fields: the other parts.
        file: open at its beginning.
    """

    def __init__(self, fields: Mapping[str, str], file: MediaFile) -> None:
        boundary = secrets.token_hex(16)
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields.items()
        ]
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="filedata"; filename="{_quoted(file.name)}"\r\n'
            f"Content-Type: {file.content_type}\r\n\r\n"
        )
        before, after = "".join([*parts, head]).encode(), f"\r\n--{boundary}--\r\n".encode()
        self.content_type = f"multipart/form-data; boundary={boundary}"
        self._length = len(before) + file.size + len(after)
        self._left: list[tuple[BinaryIO, int]] = [
            (BytesIO(before), len(before)),
            (file.stream, file.size),
            (BytesIO(after), len(after)),
        ]

    def __len__(self) -> int:
        """Bytes in all, for ``Content-Length``."""
        return self._length

    def __iter__(self) -> Iterator[bytes]:
        """The rest, in blocks."""
        while block := self.read(_BLOCK):
            yield block

    def read(self, size: int = _BLOCK) -> bytes:
        """The next bytes; empty at the end.

        Raises:
            FileChangedError: the file has less than it had.
        """
        while self._left:
            stream, left = self._left[0]
            if left == 0:
                self._left.pop(0)
                continue
            block = stream.read(min(left, size if size > 0 else _BLOCK))
            if not block:
                raise FileChangedError
            self._left[0] = (stream, left - len(block))
            return block
        return b""


def _quoted(name: str) -> str:
    """A file's name inside quotes of a header."""
    return "".join(character if character.isprintable() and character not in '"\\' else "_" for character in name)
