from __future__ import annotations

import pytest

from sandbox.errors import Refused
from sandbox.multipart import File, read_multipart

TYPE = "multipart/form-data; boundary=b0"


def part(disposition: str, content: bytes, *more: str) -> bytes:
    head = "\r\n".join([f"Content-Disposition: form-data; {disposition}", *more])
    return b"--b0\r\n" + head.encode() + b"\r\n\r\n" + content + b"\r\n"


def test_fields_and_files_are_told_apart() -> None:
    body = (
        part('name="recipient"', b'{"id":"7001"}')
        + part('name="message"', "é\r\n--b1".encode())
        + part('name="filedata"; filename="x.png"', b"\x00\r\n\xff\r\n\r\n--", "Content-Type: image/png")
        + b"--b0--\r\n"
    )
    fields, files = read_multipart(TYPE, body)
    assert fields == {"recipient": '{"id":"7001"}', "message": "é\r\n--b1"}
    assert files == [File("filedata", "image/png", 10)]


def test_a_quoted_boundary_and_a_preamble_are_read() -> None:
    body = b"ignored\r\n" + part('name="a"', b"1") + b"--b0--"
    assert read_multipart('multipart/form-data; Boundary="b0"', body) == ({"a": "1"}, [])


def test_a_form_of_nothing_is_empty() -> None:
    assert read_multipart(TYPE, b"--b0--\r\n") == ({}, [])


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"--b0--"),
        (TYPE, b""),
        (TYPE, b"--b1--"),
        (TYPE, part('name="a"', b"1")),
        (TYPE, b"--b0\r\nno headers\r\n--b0--"),
        (TYPE, part('filename="x"', b"1") + b"--b0--"),
        (TYPE, part('name="a"', b"\xff") + b"--b0--"),
    ],
    ids=["no boundary", "empty", "another boundary", "cut off", "no headers", "no name", "not UTF-8"],
)
def test_what_is_no_multipart_form_is_refused(content_type: str, body: bytes) -> None:
    with pytest.raises(Refused) as refused:
        read_multipart(content_type, body)
    assert refused.value.error.code == 100
