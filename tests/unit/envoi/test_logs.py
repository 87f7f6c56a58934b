"""The form of log lines, and what happens where they cannot be written."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator

import pytest
import structlog

from envoi.logs import configure_logs


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_line_of_ours_is_one_json_object_with_all_its_fields(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("INFO")
    structlog.get_logger().info("attempt", action="attempt", job="01", calls=["message:Accepted:3ms"], error=None)
    structlog.get_logger().debug("not shown", action="attempt")
    [line] = capsys.readouterr().err.splitlines()
    found = json.loads(line)
    assert found.pop("timestamp").endswith("Z")
    assert found == {
        "message": "attempt",
        "level": "info",
        "action": "attempt",
        "job": "01",
        "calls": ["message:Accepted:3ms"],
        "error": None,
    }


def test_a_line_of_a_library_has_the_same_form(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("INFO")
    logging.getLogger("some.library").warning("the %s broke", "door")
    found = json.loads(capsys.readouterr().err)
    del found["timestamp"]
    assert found == {"message": "the door broke", "level": "warning", "action": "library", "logger": "some.library"}


def test_an_exception_is_one_line_too(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("INFO")
    try:
        int("broken")
    except ValueError:
        structlog.get_logger().exception("it broke", action="test")
    [line] = capsys.readouterr().err.splitlines()
    assert "ValueError: invalid literal" in json.loads(line)["exception"]


class Full(io.StringIO):
    """Its reader has gone."""

    def write(self, _text: str) -> int:
        raise BrokenPipeError


@pytest.mark.parametrize("stream", [Full(), None], ids=["its reader has gone", "there is none"])
def test_a_line_that_cannot_be_written_stops_nobody(
    stream: io.StringIO | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure_logs("INFO")
    log = structlog.get_logger()
    monkeypatch.setattr(sys, "stderr", stream)
    log.info("attempt", action="attempt")
    log.error("broke", action="attempt")
