"""What a machine lacks is no excuse in CI."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.needs import lacking, program

TESTS = Path(__file__).parents[1]

# Who skips by itself, since nothing that can be installed would help.
EXCUSED = {
    "needs.py",
    "integration/test_servers.py",  # not root
    "unit/test_tracked_files.py",  # a copy without git
    "unit/test_needs.py",
}


def test_what_is_missing_skips_a_test_and_fails_it_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(
        pytest.skip.Exception, match=r"no no-such-program in the path \(Debian: apt-get install nowhere\)"
    ):
        program("no-such-program", debian="nowhere")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="without TLS"):
        lacking("this machine's Redis was built without TLS")


def test_the_first_that_is_here_is_taken() -> None:
    assert Path(program("no-such-program", "sh", debian="dash")).name == "sh"


def test_nobody_else_skips() -> None:
    skips = re.compile(r"pytest\.skip\b|skipif|importorskip|mark\.skip")
    found = {str(path.relative_to(TESTS)) for path in TESTS.rglob("*.py") if skips.search(path.read_text())}
    assert found <= EXCUSED
