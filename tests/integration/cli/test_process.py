"""The command as a process of its own: exit status, tracebacks, what is not installed, what is not in the wheel."""

from __future__ import annotations

import os
import shutil
import site
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import pytest
from sqlalchemy import insert

import envoi
from envoi.cli import sending
from envoi.client import open_queue
from envoi.log import tables
from envoi.log.database import open_log
from tests.integration.cli.conftest import Run

ROOT = Path(__file__).parents[3]
JOB = "01JDBQ8Z5V0000000000000000"


def ran(*arguments: str, stdin: str | None = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python to its end in the checkout."""
    return subprocess.run(
        [sys.executable, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=ROOT,
        env={**os.environ, **environment},
    )


def without(package: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command where a package is not installed."""
    program = (
        f"import sys; sys.modules[{package!r}] = None; from envoi.cli import main; sys.exit(main({list(arguments)!r}))"
    )
    return ran("-c", program, **environment)


def test_the_command_and_the_module_are_the_same() -> None:
    program = Path(sys.executable).parent / "envoi"
    by_name = subprocess.run([program, "--help"], capture_output=True, text=True, check=False, timeout=60)
    by_module = ran("-m", "envoi", "--help")
    assert by_name.returncode == by_module.returncode == 0
    assert by_name.stdout == by_module.stdout
    promised = [
        "demo",
        "worker",
        "scheduler",
        "sandbox",
        "migrate",
        "pages",
        "replay",
        "discard",
        "outbox",
        "send",
        "status",
        "cancel",
        "jobs",
        "job",
        "doctor",
    ]
    assert [name for name in promised if f"\n  {name} " not in by_name.stdout] == []
    assert "Exit status: 0 done; 1 refused or failed" in by_name.stdout


def test_the_version_is_that_of_the_package() -> None:
    assert ran("-m", "envoi", "--version").stdout == f"envoi {version('envoi')}\n"


@pytest.mark.parametrize("package", ["typer", "rich"])
def test_the_base_install_says_what_to_install_for_the_command_line(package: str) -> None:
    ended = without(package, "status", JOB)
    assert ended.returncode == 1
    assert ended.stderr == (
        f"envoi: the command line needs {package}: pip install 'envoi[cli]', or 'envoi[worker]' to deliver too\n"
    )


@pytest.mark.parametrize(
    ("package", "command"),
    [
        ("sqlalchemy", ["jobs"]),
        ("sqlalchemy", ["job", JOB]),
        ("sqlalchemy", ["pages", "list"]),
        ("cryptography", ["pages", "list"]),
        ("alembic", ["migrate"]),
        ("sqlalchemy", ["replay", JOB]),
        ("sqlalchemy", ["discard", JOB]),
        ("sqlalchemy", ["outbox", "list"]),
        ("sqlalchemy", ["doctor"]),
    ],
)
def test_a_command_that_needs_more_says_what_to_install(package: str, command: list[str]) -> None:
    ended = without(package, *command)
    assert ended.returncode == 1
    assert "pip install 'envoi[worker]'" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_sending_needs_no_database_package(redis_url: str) -> None:
    queue = open_queue(redis_url)
    queue.open_gate(queue.run_id())
    ended = without("sqlalchemy", "send", "100", "7", "hello", ENVOI_REDIS_URL=redis_url)
    assert ended.returncode == 0, ended.stderr
    assert queue.status(ended.stdout.strip())["state"] == "queued"


@pytest.mark.parametrize("name", ["demo", "worker", "scheduler", "sandbox"])
def test_an_application_gets_its_own_arguments(name: str) -> None:
    ended = ran("-m", "envoi", name, "--help")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith(f"usage: envoi {name} ")
    wrong = ran("-m", "envoi", name, "--no-such-option", "x")
    assert wrong.returncode == 2
    assert "--no-such-option" in wrong.stderr
    assert "Traceback" not in wrong.stderr


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder with what the wheel holds: the package ``envoi`` and nothing beside it."""
    shutil.copytree(ROOT / "envoi", tmp_path / "envoi", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


@pytest.mark.parametrize("command", ["demo", "worker", "scheduler", "sandbox", "migrate"])
def test_the_wheel_says_that_applications_are_not_in_it(installed: Path, command: str) -> None:
    program = (
        f"import sys; sys.path[:0] = [{str(installed)!r}, *{site.getsitepackages()!r}];"
        f"from envoi.cli import main; sys.exit(main([{command!r}]))"
    )
    database = f"sqlite:///{installed / 'log.sqlite3'}"
    ended = subprocess.run(
        [sys.executable, "-S", "-c", program],  # -S: no .pth file leads back to the checkout
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=installed,
        env={**os.environ, "ENVOI_DATABASE_URL": database},
    )
    assert ended.returncode == 1, ended.stdout
    assert ended.stderr.startswith("envoi: no ")
    assert "a checkout of Envoi or its image" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_another_package_of_an_applications_name_is_not_run(installed: Path) -> None:
    (installed / "elsewhere").mkdir()
    (installed / "elsewhere" / "worker.py").write_text("raise SystemExit('ran somebody else')\n")
    program = (
        f"import sys; sys.path[:0] = [{str(installed)!r}, {str(installed / 'elsewhere')!r}];"
        "from envoi.cli import main; sys.exit(main(['worker']))"
    )
    ended = ran("-c", program)
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"envoi: no worker in {installed} (")
    assert "worker.py is another one" in ended.stderr


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as pipe:
        ended = subprocess.run(
            [sys.executable, "-m", "envoi", "settings"],
            stdout=pipe,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
            cwd=ROOT,
        )
    assert ended.returncode == 1
    assert ended.stderr == ""


def test_no_standard_input_at_all_is_an_empty_token(sqlite_url: str, secret_key: str) -> None:
    environment = {"ENVOI_DATABASE_URL": sqlite_url, "ENVOI_SECRET_KEYS": secret_key}
    assert ran("-m", "envoi", "migrate", **environment).returncode == 0
    program = "import os, sys; os.close(0); os.execv(sys.executable, [sys.executable, '-m', 'envoi', *sys.argv[1:]])"
    ended = ran("-c", program, "pages", "add", "100", stdin=None, **environment)
    assert ended.returncode == 2
    assert "the token is empty" in ended.stderr


def test_a_malformed_setting_is_two_lines_and_no_value() -> None:
    ended = ran("-m", "envoi", "status", JOB, ENVOI_LEASE="sesame", ENVOI_REDIS_URL="sesame://x")
    assert ended.returncode == 1
    assert ended.stderr.splitlines() == [
        "envoi: these settings are malformed",
        "  ENVOI_REDIS_URL: must be an address that begins with redis://, rediss:// or unix://",
        "  ENVOI_LEASE: must be a number",
    ]


@pytest.mark.parametrize("name", ["worker", "scheduler"])
def test_an_application_says_which_setting_is_malformed(name: str) -> None:
    ended = ran("-m", "envoi", name, ENVOI_LEASE="sesame")
    assert ended.returncode == 1
    assert ended.stderr.splitlines() == ["envoi: these settings are malformed", "  ENVOI_LEASE: must be a number"]


def test_a_scheduler_says_that_an_address_is_malformed() -> None:
    ended = ran("-m", "envoi", "scheduler", ENVOI_DATABASE_URL="sesame")
    assert ended.returncode == 1
    assert ended.stderr.startswith("envoi: ENVOI_DATABASE_URL: must be an SQLAlchemy address")
    assert ended.stderr.count("\n") == 1


def test_a_worker_that_celery_would_turn_away_says_so() -> None:
    ended = ran("-m", "envoi", "worker", CELERY_BROKER_URL="redis://elsewhere/0")
    assert ended.returncode == 1
    assert ended.stderr.splitlines() == [
        "envoi: these settings are malformed",
        "  CELERY_BROKER_URL: must not be set, or be as ENVOI_REDIS_URL: Celery would listen there, where nobody rings",
    ]


def test_a_terminal_without_utf_8_shows_escapes(migrated_sqlite_url: str) -> None:
    engine = open_log(migrated_sqlite_url)
    with engine.begin() as connection:
        connection.execute(
            insert(tables.jobs).values(
                id=JOB,
                payload={"message": {"text": "h\u00e9 \U0001f44d"}},
                enqueued_at=datetime.now(UTC),
                state="sent",
                attempts=1,
            )
        )
    engine.dispose()
    ended = ran("-m", "envoi", "job", JOB, ENVOI_DATABASE_URL=migrated_sqlite_url, PYTHONIOENCODING="ascii")
    assert ended.returncode == 0, ended.stderr
    assert r"h\xe9 \U0001f44d" in ended.stdout


def test_ctrl_c_ends_with_status_130(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> envoi.Envoi:
        raise KeyboardInterrupt

    monkeypatch.setattr(sending, "Envoi", interrupted)
    ended = run("send", "100", "7", "hello", status=130)
    assert "Traceback" not in ended.err


def test_our_own_mistakes_keep_their_traceback(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    def mistaken() -> envoi.Envoi:
        raise ZeroDivisionError

    monkeypatch.setattr(sending, "Envoi", mistaken)
    with pytest.raises(ZeroDivisionError):
        run("send", "100", "7", "hello")
