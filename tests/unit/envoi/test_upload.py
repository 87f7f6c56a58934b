"""A file before its upload, the form that carries it, and what a failure means."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from envoi import InvalidUpload
from envoi.upload_file import LIMIT, MediaFile, opened
from envoi.upload_form import FileChangedError, UploadForm
from envoi.upload_verdict import verdict_of
from sandbox.multipart import read_multipart
from worker.codes import TABLE, Class

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 100
MP4 = b"\x00\x00\x00\x18ftypisom" + b"x" * 100


def looked_at(
    folder: Path, name: str, content: bytes, kind: str | None = None, platform: str = "messenger"
) -> tuple[str, str, int]:
    path = folder / name
    path.write_bytes(content)
    with opened(path, kind, name=None, platform=platform) as found:
        return found.kind, found.content_type, found.size


def refused(folder: Path, name: str, content: bytes, **options: Any) -> str:
    with pytest.raises(InvalidUpload) as error:
        looked_at(folder, name, content, **options)
    return str(error.value)


@pytest.mark.parametrize(
    ("name", "content", "kind", "content_type"),
    [
        ("a.png", PNG, "image", "image/png"),
        ("a.PNG", PNG, "image", "image/png"),
        ("a.jpeg", b"\xff\xd8\xff\xe0", "image", "image/jpeg"),
        ("a.mp4", MP4, "video", "video/mp4"),
        ("a.mp3", b"ID3\x03", "audio", "audio/mpeg"),
        ("a.pdf", b"%PDF-1.7", "file", "application/pdf"),
        ("a.zip", b"PK\x03\x04", "file", "application/zip"),
        ("a.bmp", b"BM", "image", "image/bmp"),  # what it begins with is not known to us
        ("noextension", PNG, "file", "application/octet-stream"),
    ],
)
def test_the_type_follows_from_the_name(
    tmp_path: Path, name: str, content: bytes, kind: str, content_type: str
) -> None:
    assert looked_at(tmp_path, name, content) == (kind, content_type, len(content))


def test_the_type_may_be_said(tmp_path: Path) -> None:
    assert looked_at(tmp_path, "a.png", PNG, kind="file")[0] == "file"
    assert looked_at(tmp_path, "noextension", PNG, kind="image")[0] == "image"


@pytest.mark.parametrize(
    ("name", "content", "kind", "words"),
    [
        ("a.png", b"", None, "a.png: must not be empty"),
        ("a.png", b"%PDF-1.7", None, "a.png: its content is not image"),
        ("a.mp4", PNG, None, "a.mp4: its content is not video"),
        ("a.png", b"<html><body>404", None, "a.png: its content is not image"),
        ("noextension", b"%PDF-1.7", "audio", "noextension: its content is not audio"),
        ("a.png", PNG, "video", "a.png is image/png, not video"),
        ("a.png", PNG, "sticker", "must be one of image, video, audio, file"),
    ],
)
def test_what_meta_would_refuse_is_refused_by_the_files_name(
    tmp_path: Path, name: str, content: bytes, kind: str | None, words: str
) -> None:
    assert words in refused(tmp_path, name, content, kind=kind)


def test_a_file_may_have_25_megabytes_and_not_a_byte_more(tmp_path: Path) -> None:
    assert looked_at(tmp_path, "a.bin", b"x" * LIMIT)[2] == LIMIT
    words = "file: a.bin: 26214401 bytes; at most 26214400 (25 MB) [SEND_API 3]"
    assert refused(tmp_path, "a.bin", b"x" * (LIMIT + 1)) == words


def test_instagram_has_finer_limits(tmp_path: Path) -> None:
    assert looked_at(tmp_path, "a.png", PNG, platform="instagram")[0] == "image"
    assert "at most 8388608 (8 MB) for an image on Instagram" in refused(
        tmp_path, "a.png", PNG + b"x" * (8 * 1024 * 1024), platform="instagram"
    )
    assert "must be one of application/pdf" in refused(tmp_path, "a.zip", b"PK\x03\x04", platform="instagram")
    assert "for Instagram" in refused(tmp_path, "a.webp", b"RIFF0000WEBP", platform="instagram")


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "nothing.png", tmp_path):
        with (
            pytest.raises(InvalidUpload, match="cannot be read"),
            opened(path, None, name=None, platform="messenger"),
        ):
            raise AssertionError
    text: Any = io.StringIO("text")
    with pytest.raises(InvalidUpload, match="binary"), opened(text, None, name="a.txt", platform="messenger"):
        raise AssertionError


def test_an_open_file_stays_open_and_is_read_from_its_beginning() -> None:
    stream = io.BytesIO(PNG)
    stream.seek(50)
    with opened(stream, None, name="a.png", platform="messenger") as found:
        assert (found.name, found.size, found.stream.read()) == ("a.png", len(PNG), PNG)
    assert not stream.closed


def media(name: str = "a.png", content: bytes = PNG, size: int | None = None) -> MediaFile:
    return MediaFile(io.BytesIO(content), name, "image", "image/png", len(content) if size is None else size)


@pytest.mark.parametrize("size", [1, 7, 65_536])
def test_the_form_is_what_a_server_reads_as_the_file_and_its_fields(size: int) -> None:
    form = UploadForm({"message": '{"ü": 1}', "platform": "instagram"}, media())
    body = b"".join(iter(lambda: form.read(size), b""))
    assert len(body) == len(form)
    fields, (file,) = read_multipart(form.content_type, body)
    assert fields == {"message": '{"ü": 1}', "platform": "instagram"}
    assert (file.name, file.content_type, file.size) == ("filedata", "image/png", len(PNG))


def test_a_files_name_cannot_break_out_of_its_header() -> None:
    body = b"".join(UploadForm({}, media('a"\r\nX-Evil: 1\\.png')))
    assert b'filename="a___X-Evil: 1_.png"\r\n' in body


def test_a_file_that_shrinks_while_it_is_sent_is_noticed() -> None:
    with pytest.raises(FileChangedError):
        b"".join(UploadForm({}, media(size=len(PNG) + 1)))


VERDICTS = {
    Class.TRY_LATER: "TryLater",
    Class.TRY_LATER_ANSWERED: "TryLater",
    Class.UNKNOWN: "TryLater",
    Class.THROTTLE_APP: "Throttled",
    Class.THROTTLE_PAGE: "Throttled",
    Class.THROTTLE_RECIPIENT: "Throttled",
    Class.REFUSED_MESSAGE: "Refused",
    Class.REFUSED_RECIPIENT: "Refused",
    Class.REFUSED_PAGE: "Refused",
}


def test_a_failed_upload_means_what_the_table_of_codes_says() -> None:
    found = {(row.code, row.subcode): verdict_of(row.code, row.subcode, 400) for row in TABLE}
    assert found == {(row.code, row.subcode): VERDICTS[row.outcome] for row in TABLE}


@pytest.mark.parametrize(
    ("code", "status", "transient", "verdict"),
    [
        (None, 502, False, "TryLater"),
        (None, 200, False, "TryLater"),
        (None, 404, False, "Refused"),
        (None, 429, False, "Throttled"),
        (77777, 400, False, "Refused"),
        (77777, 400, True, "TryLater"),
        (77777, 500, False, "TryLater"),
    ],
)
def test_what_the_table_does_not_list(code: int | None, status: int, transient: bool, verdict: str) -> None:
    assert verdict_of(code, None, status, transient=transient) == verdict
