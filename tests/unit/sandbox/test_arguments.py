from __future__ import annotations

import pytest

from sandbox.__main__ import main


@pytest.mark.parametrize(
    "arguments",
    [
        ["--port", "65536"],
        ["--port", "-1"],
        ["--page", "1001"],
        ["--page", "=EAAsecret"],
        ["--page", "me=EAAsecret"],
        ["--instagram", "1001=EAA secret"],
        ["--latency", "-1"],
        ["--latency", "inf"],
        ["--latency", "long"],
    ],
)
def test_arguments_that_make_no_sense_are_refused_by_name(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert f"argument {arguments[0]}" in said
    assert "EAA" not in said


def test_help_says_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    for option in ("--port", "--host", "--page", "--instagram", "--app-secret", "--latency", "--seed"):
        assert option in said
