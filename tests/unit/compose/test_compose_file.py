"""docker-compose.yml is valid, and says what Envoi needs: nothing is evicted, nothing is open, nothing is cut short."""

from __future__ import annotations

import copy
import json
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from envoi.settings import Settings
from tests.unit.compose.compose_file import (
    ROOT,
    Service,
    VariableMissing,
    put_in,
    read,
    seconds,
    services,
    size,
    starting_order,
)

REQUIRED = {"POSTGRES_PASSWORD": "postgres-password", "ENVOI_SECRET_KEYS": "secret-key", "FLOWER_PASSWORD": "password"}
# The Compose Specification's own schema, Apache-2.0 (compose-spec.LICENSE).
SCHEMA = json.loads((Path(__file__).parent / "compose-spec.json").read_text())


@pytest.fixture
def known() -> dict[str, Service]:
    return services(REQUIRED)


def problems(content: dict[str, Any]) -> list[str]:
    found = jsonschema.Draft202012Validator(SCHEMA).iter_errors(content)
    return [f"{error.json_path}: {error.message}" for error in found]


def redis_options(service: Service) -> dict[str, str]:
    program, *rest = service.arguments
    assert program == "redis-server"
    names, values = rest[::2], rest[1::2]
    assert all(name.startswith("--") for name in names), names
    return {name.removeprefix("--"): value for name, value in zip(names, values, strict=True)}


def test_the_file_follows_the_compose_specification() -> None:
    assert problems(read()) == []
    assert problems(put_in(read(), REQUIRED)) == []


@pytest.mark.parametrize(
    ("service", "key", "value"),
    [
        ("redis", "healthchek", {}),
        ("worker", "stop_grace_period", 40),
        ("worker", "depends_on", {"redis": {"condition": "healthy"}}),
        ("flower", "ports", "5555"),
    ],
)
def test_a_mistake_against_the_specification_is_seen(service: str, key: str, value: object) -> None:
    content = copy.deepcopy(read())
    content["services"][service][key] = value
    assert problems(content) != []


def test_every_setting_that_is_named_exists(known: dict[str, Service]) -> None:
    named = {name for content in read()["services"].values() for name in content.get("environment", {})}
    ours = {name for name in named if name.startswith("ENVOI_")}
    fields = {f"ENVOI_{name.upper()}" for name in Settings.model_fields}
    assert {"ENVOI_REDIS_URL", "ENVOI_DATABASE_URL", "ENVOI_SECRET_KEYS"} <= ours
    assert ours <= fields
    for service in known.values():  # and each value that stands there is one that Settings takes
        values = {
            name.removeprefix("ENVOI_").lower(): value
            for name, value in service.environment.items()
            if name.startswith("ENVOI_")
        }
        Settings.model_validate(values)


@pytest.mark.parametrize("name", REQUIRED)
def test_nothing_starts_without_a_secret_that_must_be_set(name: str) -> None:
    unset = {other: value for other, value in REQUIRED.items() if other != name}
    for variables in (unset, {**REQUIRED, name: ""}):
        with pytest.raises(VariableMissing, match=rf"{name} is missing a value: set it in \.env"):
            services(variables)


@pytest.mark.parametrize("name", REQUIRED)
def test_what_must_be_set_is_in_the_guide(name: str) -> None:
    assert name in (ROOT / "docs" / "deploy.md").read_text()


def test_redis_never_evicts_and_keeps_its_data(known: dict[str, Service]) -> None:
    options = redis_options(known["redis"])
    assert options["maxmemory-policy"] == "noeviction"
    assert (options["appendonly"], options["appendfsync"]) == ("yes", "everysec")
    assert known["redis"].spec["volumes"] == ["redis:/data"]
    # Rewriting the AOF forks: what is written meanwhile is in memory twice.
    assert 2 * size(options["maxmemory"]) <= size(known["redis"].spec["mem_limit"])


def test_a_worker_ends_by_itself_before_it_is_killed(known: dict[str, Service]) -> None:
    patience = seconds(known["worker"].spec["stop_grace_period"])
    assert patience >= Settings().shutdown_time + 10
    assert "ENVOI_SHUTDOWN_TIME" not in known["worker"].environment


def test_workers_can_be_added(known: dict[str, Service]) -> None:
    for name in ("worker", "scheduler"):  # a second container with the same name or host port cannot start
        assert not {"container_name", "ports", "hostname"} & known[name].spec.keys()


def test_worker_and_scheduler_go_by_the_same_times() -> None:
    timed = {f"ENVOI_{name}": f"{number}" for number, name in enumerate(("LEASE", "GRAPH_LATEST", "GRAPH_VISIBLE"), 1)}
    known = services(REQUIRED | timed)
    for name in ("worker", "scheduler"):
        assert timed.items() <= known[name].environment.items()
    unset = services(REQUIRED)
    assert not timed.keys() & unset["worker"].environment.keys()  # left to the default, not set to nothing


def test_published_ports_are_for_this_machine_only(known: dict[str, Service]) -> None:
    published = {name: service.spec["ports"] for name, service in known.items() if "ports" in service.spec}
    assert published.keys() == {"flower", "console", "sandbox", "grafana"}
    for ports in published.values():
        assert all(port.startswith("127.0.0.1:") for port in ports), ports


def test_only_worker_and_scheduler_have_the_keys_to_the_tokens(known: dict[str, Service]) -> None:
    holders = {name for name, service in known.items() if REQUIRED["ENVOI_SECRET_KEYS"] in str(service.spec)}
    assert holders == {"worker", "scheduler"}


def test_a_password_is_in_no_address_and_no_argument(known: dict[str, Service]) -> None:
    for service in known.values():
        for password in REQUIRED.values():
            assert not any(password in argument for argument in service.arguments)
        assert REQUIRED["POSTGRES_PASSWORD"] not in service.environment.get("ENVOI_DATABASE_URL", "")


def test_our_services_run_one_image_that_one_of_them_builds(known: dict[str, Service]) -> None:
    ours = {name for name, service in known.items() if service.ours}
    assert ours == {"migrate", "worker", "scheduler", "flower", "console", "sandbox"}
    assert [name for name, service in known.items() if "build" in service.spec] == ["migrate"]
    assert all(known[name].spec["pull_policy"] == "never" for name in ours)


def test_our_services_have_no_right_that_they_do_not_need(known: dict[str, Service]) -> None:
    for service in known.values():
        if service.ours:
            assert service.spec["read_only"]
            assert service.spec["cap_drop"] == ["ALL"]
            assert service.spec["security_opt"] == ["no-new-privileges:true"]
            assert not {"privileged", "user", "volumes", "cap_add", "network_mode"} & service.spec.keys()


def test_other_images_have_a_short_name_and_a_version(known: dict[str, Service]) -> None:
    others = {service.spec["image"] for service in known.values() if not service.ours}
    assert others == {"redis:7", "postgres:17", "prom/prometheus:v3.5.0", "grafana/grafana:12.1.1"}


def test_every_service_is_bounded_and_comes_back_after_a_failure(known: dict[str, Service]) -> None:
    for name, service in known.items():
        assert size(service.spec["mem_limit"]) > 0
        assert service.spec["logging"]["options"].keys() == {"max-size", "max-file"}
        assert service.spec["restart"] == ("no" if name == "migrate" else "unless-stopped")


def test_a_service_waits_for_what_it_needs(known: dict[str, Service]) -> None:
    for service in known.values():
        for name, condition in service.needs.items():
            if condition == "service_healthy":
                assert "healthcheck" in known[name].spec, f"{service.name} would wait for {name} for ever"
            else:
                assert condition == "service_completed_successfully"
                assert known[name].spec["restart"] == "no", f"{name} would never be over"
    order = [service.name for service in starting_order(known)]
    for name in ("worker", "scheduler"):
        assert order.index("postgres") < order.index("migrate") < order.index(name)
        assert order.index("redis") < order.index(name)


def test_console_sandbox_and_monitoring_are_there_only_when_asked_for(known: dict[str, Service]) -> None:
    profiles = {name: service.spec["profiles"] for name, service in known.items() if "profiles" in service.spec}
    assert profiles == {
        "console": ["console"],
        "sandbox": ["sandbox"],
        "prometheus": ["monitoring"],
        "grafana": ["monitoring"],
    }
    assert not any(profiles.keys() & service.needs.keys() for service in known.values())


def test_worker_and_scheduler_say_whether_they_make_progress(known: dict[str, Service]) -> None:
    scraped = (ROOT / "deploy" / "monitoring" / "prometheus.yml").read_text()
    for name in ("worker", "scheduler"):
        port = known[name].environment["ENVOI_METRICS_PORT"]
        _, python, option, program, asked = known[name].spec["healthcheck"]["test"]
        assert (python, option, asked) == ("python", "-c", port)
        assert '"/healthz"' in program
        assert f"names: [{name}], type: A, port: {port}," in scraped


def test_every_service_of_ours_that_stays_says_how_it_is(known: dict[str, Service]) -> None:
    ours = {name: service for name, service in known.items() if service.ours and service.spec["restart"] != "no"}
    assert ours.keys() >= {"worker", "scheduler", "flower", "sandbox"}
    for service in ours.values():
        check = service.spec["healthcheck"]
        assert check["test"][:3] == ["CMD", "python", "-c"], service.name
        assert seconds(check["interval"]) > seconds(check["timeout"])


def test_what_monitoring_mounts_is_there(known: dict[str, Service]) -> None:
    for name in ("prometheus", "grafana"):
        sources = [volume.partition(":")[0] for volume in known[name].spec["volumes"]]
        assert all((ROOT / source).exists() for source in sources if source.startswith("."))


def test_grafana_does_not_start_without_a_password(known: dict[str, Service]) -> None:
    grafana = known["grafana"]
    assert grafana.environment["GF_SECURITY_ADMIN_PASSWORD"] == ""
    ran = subprocess.run(grafana.arguments, env=grafana.environment, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (1, "set GRAFANA_PASSWORD in .env\n")


def test_flower_asks_for_a_password_changes_nothing_and_has_bounds(known: dict[str, Service]) -> None:
    flower = known["flower"]
    assert flower.environment["FLOWER_BASIC_AUTH"] == f"envoi:{REQUIRED['FLOWER_PASSWORD']}"
    assert "FLOWER_UNAUTHENTICATED_API" not in flower.environment
    assert "--read-only" in flower.arguments
    assert any(argument.startswith("--max-tasks=") for argument in flower.arguments)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${SET}", "x"),
        ("a ${SET:-y} b", "a x b"),
        ("${UNSET:-y}", "y"),
        ("${EMPTY:-y}", "y"),
        ("${UNSET:-}", ""),
        ("${SET:?no}", "x"),
        ("$${SET}", "${SET}"),
    ],
)
def test_variables_are_put_in_as_compose_does(text: str, value: str) -> None:
    assert put_in([{"key": text}], {"SET": "x", "EMPTY": ""}) == [{"key": value}]


@pytest.mark.parametrize("text", ["$SET", "${SET:+y}", "${SET-y}"])
def test_a_form_of_variable_that_is_not_known_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not known here"):
        put_in(text, {"SET": "x"})
