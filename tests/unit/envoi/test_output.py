from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envoi.cli.failures import plain, shown
from envoi.cli.output import iso, print_fields, print_json, print_table
from envoi.cli.settings import _shown
from envoi.errors import UnknownJob


@given(st.text() | st.text(st.characters(categories=["Cc", "Cs", "Cf", "Zs", "Zl"])))
def test_plain_text_is_one_line_that_steers_nothing(text: str) -> None:
    line = plain(text)
    assert line.isprintable()
    assert plain(line) == line


def test_plain_text_stays_as_it_is() -> None:
    assert plain("Grüße, Ada 👍") == "Grüße, Ada 👍"
    assert plain("two\n  lines\x07") == r"two lines\x07"


def test_a_failure_is_one_line() -> None:
    assert shown(UnknownJob("no\njob")) == ["envoi: no job"]


@pytest.mark.parametrize("package", ["celery", "sqlalchemy"])
def test_a_package_that_is_missing_is_named(package: str) -> None:
    missing = ModuleNotFoundError(f"No module named '{package}'", name=f"{package}.part")
    assert shown(missing) == [f"envoi: this command needs {package}: pip install 'envoi[worker]'"]


@pytest.mark.parametrize("module", ["envoi.cli.nothing", "worker.__main__", "scheduler"])
def test_a_module_of_ours_that_is_missing_is_a_mistake_to_be_seen(module: str) -> None:
    assert shown(ModuleNotFoundError(f"No module named '{module}'", name=module)) is None


def test_json_is_one_document_in_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"text": "é", "at": datetime(2026, 7, 1, 12, tzinfo=timezone(timedelta(hours=2))), "none": None})
    assert capsys.readouterr().out == (
        '{\n  "text": "\\u00e9",\n  "at": "2026-07-01T10:00:00.000000Z",\n  "none": null\n}\n'
    )


def test_json_takes_nothing_whose_form_was_not_thought_of() -> None:
    with pytest.raises(TypeError, match="object has no JSON form"):
        print_json({"thing": object()})


def test_times_keep_their_width() -> None:
    assert iso(datetime(2026, 1, 2, 3, 4, 5, 60, tzinfo=UTC)) == "2026-01-02T03:04:05.000060Z"


def test_a_table_in_a_pipe_cuts_and_wraps_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("one", "two"), [("a" * 300, "b" * 300), ("x", None)])
    header, row, last = capsys.readouterr().out.splitlines()
    assert header.split() == ["one", "two"]
    assert row.split() == ["a" * 300, "b" * 300]
    assert last.split() == ["x", "-"]


def test_markup_and_colours_in_a_cell_are_text(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("one",), [("[bold]x[/bold] :smile:",)])
    assert "[bold]x[/bold] :smile:" in capsys.readouterr().out


def test_fields_leave_out_what_is_unknown(capsys: pytest.CaptureFixture[str]) -> None:
    print_fields({"state": "sent", "message_id": None, "paused": False, "pace": 30.0})
    shown_lines = [line.split() for line in capsys.readouterr().out.splitlines()[1:]]
    assert shown_lines == [["state", "sent"], ["paused", "no"], ["pace", "30"]]


@pytest.mark.parametrize(
    ("address", "harmless"),
    [
        ("redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/0"),
        ("redis://:sesame@127.0.0.1:6379/0", "redis://:***@127.0.0.1:6379/0"),
        ("rediss://user:se@sa/me@host/0", "rediss://user:***@host/0"),
        ("redis://host/0?password=sesame&db=1", "redis://host/0?password=***&db=1"),
        ("postgresql+psycopg://envoi:sesame@db/envoi", "postgresql+psycopg://envoi:***@db/envoi"),
        ("sqlite:///log.sqlite3", "sqlite:///log.sqlite3"),
    ],
)
def test_a_shown_address_has_no_password(address: str, harmless: str) -> None:
    assert _shown(address) == harmless
