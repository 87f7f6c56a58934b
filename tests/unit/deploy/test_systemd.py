"""deploy/systemd is valid, and says what Envoi needs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from envoi.settings import Settings
from tests.needs import lacking, program
from tests.unit.compose.compose_file import services
from tests.unit.deploy.units import FOLDER, NAMES, ROOT, example, unit

WORKER, SCHEDULER, CONSOLE = LASTING = ("envoi-worker@.service", "envoi-scheduler.service", "envoi-console.service")
COMPOSE = services({"POSTGRES_PASSWORD": "p", "ENVOI_SECRET_KEYS": "k", "FLOWER_PASSWORD": "f"})
HARDENS = re.compile(r"Capability|Lock|Memory(?!Max)|NoNew|Private|Proc|Protect|Remove|Restrict|SystemCall|UMask")
EXPOSURE = 2.0  # of 10: what systemd itself calls OK


def localized(folder: Path) -> list[str]:
    """The units with the paths of this checkout: systemd looks whether they are there."""
    for name in NAMES:
        text = (FOLDER / name).read_text()
        text = text.replace("/opt/envoi/.venv/bin/python", sys.executable).replace("/opt/envoi", str(ROOT))
        (folder / name).write_text(text)
    return [str(folder / name) for name in NAMES]


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    """What ``systemd-analyze`` says."""
    command = [program("systemd-analyze", debian="systemd"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_systemd_finds_nothing_wrong(tmp_path: Path) -> None:
    ran = analyze("verify", "--man=no", *localized(tmp_path))
    # Its warnings do not fail it; those of this machine's own units are not ours.
    told = [line for line in ran.stderr.splitlines() if "envoi" in line]
    assert told == []
    assert ran.returncode == 0, ran.stderr


def test_a_mistake_would_be_seen(tmp_path: Path) -> None:
    broken = tmp_path / "envoi-broken.service"
    broken.write_text(f"[Service]\nExecStart={sys.executable}\nKilMode=mixed\n")
    assert "KilMode" in analyze("verify", "--man=no", str(broken)).stderr


@pytest.mark.parametrize("name", LASTING)
def test_a_unit_exposes_little(name: str, tmp_path: Path) -> None:
    localized(tmp_path)
    ran = analyze("security", "--offline=true", "--no-pager", str(tmp_path / name))
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", ran.stdout)
    if found is None and "offline" in ran.stderr:
        lacking("this systemd cannot judge a unit that is not loaded: before 250")
    assert found, ran.stderr
    assert float(found[1]) <= EXPOSURE


def test_units_run_what_compose_runs() -> None:
    for name in NAMES:
        program, *arguments = unit(name).command
        part = name.removeprefix("envoi-").partition(".")[0].rstrip("@")
        assert program == "/opt/envoi/.venv/bin/python"
        composed = [word for word in COMPOSE[part].spec["command"] if word not in {"--host", "0.0.0.0"}]  # noqa: S104  # a unit stands in no network of its own
        assert arguments == ["-m", "envoi", *composed]
        assert unit(name).one("WorkingDirectory") == "/opt/envoi"


def test_a_unit_ends_by_itself_before_it_is_killed_and_comes_back_after_a_failure() -> None:
    worker, *others = (unit(name) for name in LASTING)
    assert int(worker.one("TimeoutStopSec")) >= Settings().shutdown_time + 10
    for one in others:
        assert int(one.one("TimeoutStopSec")) >= 20
    for one in (worker, *others):
        assert one.one("KillMode") == "mixed"
        assert one.one("Restart") == "always"
        assert (
            one.one("StartLimitIntervalSec", "Unit") == "0"
        )  # a server that is away for long does not end it for good
        assert "CPUQuota" not in one.sections["Service"]


def test_secrets_come_from_a_file_of_root_and_stand_in_no_unit() -> None:
    for name in NAMES:
        text = (FOLDER / name).read_text()
        given = re.findall(r"(?m)^Environment=.*(?:KEYS|SECRET|PASSWORD|TOKEN|URL).*", text)
        assert given == (["Environment=ENVOI_CONSOLE_PASSWORD_FILE=%d/console-password"] if name == CONSOLE else [])
        assert "/etc/envoi/envoi.env" in unit(name).sections["Service"]["EnvironmentFile"]


def test_all_units_are_hardened_alike_and_none_runs_as_root() -> None:
    hardening = []
    for name in NAMES:
        service = unit(name).sections["Service"]
        assert unit(name).one("User") == "envoi"
        hardening.append({key: value for key, value in service.items() if HARDENS.match(key)})
        assert unit(name).one("ProtectSystem") == "strict"
        assert unit(name).one("NoNewPrivileges") == "yes"
    assert all(one == hardening[0] for one in hardening)


def test_the_console_has_its_password_from_a_credential_and_no_secret_of_the_others() -> None:
    console = unit(CONSOLE)
    credential, file = console.one("LoadCredential").split(":")
    assert f"ENVOI_CONSOLE_PASSWORD_FILE=%d/{credential}" in console.sections["Service"]["Environment"]
    assert file == "/etc/envoi/console-password"
    fields = {f"ENVOI_{name.upper()}" for name in Settings.model_fields}
    kept_from = set(console.one("UnsetEnvironment").split())
    assert {"ENVOI_SECRET_KEYS", "ENVOI_APP_SECRET", "ENVOI_ALERT_URL"} <= kept_from <= fields


def test_the_example_of_settings_holds_what_must_be_set_and_where_alerts_go() -> None:
    fields = {f"ENVOI_{name.upper()}" for name in Settings.model_fields}
    given = example()
    assert given.keys() <= fields
    assert {"ENVOI_REDIS_URL", "ENVOI_DATABASE_URL", "ENVOI_SECRET_KEYS", "ENVOI_ALERT_URL"} <= given.keys()
    for name, value in given.items():
        if re.search(r"SECRET|KEYS|PASSWORD|DATABASE_URL|ALERT_URL", name):
            assert "FILL-IN" in value, name
    fillings = {"ENVOI_SECRET_KEYS": "key", "ENVOI_APP_ID": "1", "ENVOI_APP_SECRET": "secret"}
    Settings.model_validate({key.removeprefix("ENVOI_").lower(): value for key, value in (given | fillings).items()})
