"""Uploads by hand and by the client, to a sandbox process."""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from demo.ports import free_port
from envoi import Envoi, InvalidUpload, UploadFailed
from envoi.log.errors import UnknownPage
from envoi.settings import settings
from tests.integration.cli.conftest import Run
from tests.integration.sandbox.client import INSTAGRAM, INSTAGRAM_TOKEN, PAGE, TOKEN, Client, sandbox_process

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 1000


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with sandbox_process(tmp_path_factory.mktemp("sandbox"), "--app-secret", "the-secret") as (_, client):
        yield client


@pytest.fixture
def sandbox(running: Client, run: Run, migrated: Engine, monkeypatch: pytest.MonkeyPatch) -> Client:
    """A sandbox in place of Graph, and the token of its pages in the log."""
    del migrated
    running.control("POST", "reset")
    monkeypatch.setenv("ENVOI_GRAPH_URL", f"http://127.0.0.1:{running.port}")
    monkeypatch.setenv("ENVOI_APP_SECRET", "the-secret")
    run("pages", "add", PAGE, stdin=TOKEN.encode())
    run("pages", "add", INSTAGRAM, "--platform", "instagram", stdin=INSTAGRAM_TOKEN.encode())
    settings.cache_clear()
    return running


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    return path


@pytest.mark.usefixtures("queue_open")
def test_an_uploaded_file_can_be_sent_by_its_attachment_id(run: Run, sandbox: Client, image: Path) -> None:
    printed = run("upload", PAGE, str(image)).out.strip()
    assert re.fullmatch(r"\d{16}", printed)
    for attachment_id in (printed, run("upload", PAGE, str(image), "--json").json["attachment_id"]):
        attachment = {"type": "image", "payload": {"attachment_id": attachment_id}}
        proof = {"appsecret_proof": _proof()}
        answer = sandbox.call(recipient={"id": "7"}, message={"attachment": attachment}, **proof)
        assert answer.status == 200, answer.body
    upload = sandbox.entries(edge="message_attachments")[0]
    assert upload["parameters"] == {"message": {"attachment": {"type": "image", "payload": {"is_reusable": True}}}}


@pytest.mark.usefixtures("queue_open")
def test_the_client_uploads_paths_and_open_files_to_either_platform(sandbox: Client, image: Path) -> None:
    with image.open("rb") as stream:
        assert Envoi().upload(INSTAGRAM, stream).isdigit()
    assert Envoi().upload(PAGE, str(image), type="file", name="b.bin").isdigit()
    kinds = [
        (entry["page"], entry["parameters"]["message"]["attachment"]["type"])
        for entry in sandbox.entries(edge="message_attachments")
    ]
    assert kinds == [(INSTAGRAM, "image"), (PAGE, "file")]


@pytest.mark.usefixtures("queue_open")
def test_a_large_file_arrives_whole_and_is_not_held_in_memory(
    sandbox: Client, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "large.bin"
    with path.open("wb") as stream:
        stream.truncate(24 * 1024 * 1024)
    caplog.set_level(logging.DEBUG)
    Envoi().upload(PAGE, path)  # what is loaded once
    tracemalloc.start()
    try:
        assert Envoi().upload(PAGE, path).isdigit()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * 1024 * 1024
    assert TOKEN not in caplog.text
    assert len(sandbox.entries(edge="message_attachments")) == 2


@pytest.mark.usefixtures("queue_open", "sandbox")
def test_no_netrc_of_the_machine_takes_the_tokens_place(
    image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    assert Envoi().upload(PAGE, image).isdigit()


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"kind": "error", "code": 100, "subcode": 2018047}, ("100/2018047", "Refused")),
        ({"kind": "error", "code": 613}, ("613", "Throttled")),
        ({"kind": "error", "code": 2}, ("2: ", "TryLater")),
        ({"kind": "reset"}, ("no answer from the Graph API", "TryLater")),
    ],
)
@pytest.mark.usefixtures("queue_open")
def test_what_meta_does_not_take_is_told_with_its_code_and_without_the_token(
    run: Run, sandbox: Client, image: Path, fault: dict[str, object], told: tuple[str, str]
) -> None:
    words, verdict = told
    sandbox.order(fault=fault, match={"step": "upload"})
    with pytest.raises(UploadFailed) as error:
        Envoi().upload(PAGE, image)
    assert error.value.verdict == verdict
    assert words in str(error.value)
    shown = run("upload", PAGE, str(image), status=1).err
    assert words in shown
    assert ("try again later" in shown) is (verdict != "Refused")
    assert TOKEN not in shown


@pytest.mark.usefixtures("queue_open", "sandbox")
def test_what_never_leaves_is_told_too(run: Run, image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = tmp_path / "empty.png"
    empty.touch()
    refused = run("upload", PAGE, str(empty), status=1).err
    assert "envoi: the file was refused; nothing was sent\n  file: empty.png: must not be empty" in refused
    with pytest.raises(UnknownPage):
        Envoi().upload("3003", image)
    with pytest.raises(InvalidUpload):
        Envoi().upload(PAGE, tmp_path / "nothing.png")
    monkeypatch.setenv("ENVOI_GRAPH_URL", f"http://127.0.0.1:{free_port()}")
    settings.cache_clear()
    with pytest.raises(UploadFailed, match="no answer"):
        Envoi().upload(PAGE, image)


def _proof() -> str:
    return hmac.new(b"the-secret", TOKEN.encode(), hashlib.sha256).hexdigest()
