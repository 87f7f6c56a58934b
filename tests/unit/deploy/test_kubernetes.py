"""deploy/kubernetes is valid, and says what Envoi needs."""

from __future__ import annotations

import copy
import re

import pytest
import yaml

from envoi.settings import Settings
from tests.unit.compose import dockerfile
from tests.unit.compose.compose_file import services
from tests.unit.deploy.manifests import (
    COMPOSED,
    FOLDER,
    FOREIGN,
    OURS,
    PROBES,
    SECRETS,
    container,
    documents,
    environment,
    every,
    memory,
    named,
    pods,
    problems,
)

OPTIONAL = {"alert-url"}
BESIDE = {
    "kustomization.yaml",
    "secret.example.yaml",
    "migrate.yaml",
    "redis.yaml",
    "keda.yaml",
    "console.yaml",
    "commands.yaml",
}
COMPOSE = services({"POSTGRES_PASSWORD": "p", "ENVOI_SECRET_KEYS": "k", "FLOWER_PASSWORD": "f"})


def test_every_object_is_what_kubernetes_takes() -> None:
    kinds = set()
    for file, one in every():
        kinds.add(one["kind"])
        if one["kind"] not in FOREIGN:
            assert problems(one) == [], file
    assert {"Namespace", "ConfigMap", "Secret", "Job", "Deployment", "StatefulSet", "NetworkPolicy"} <= kinds


@pytest.mark.parametrize(
    ("kind", "name", "path", "value"),
    [
        ("Deployment", "envoi-worker", ("spec", "replica"), 2),
        ("Deployment", "envoi-worker", ("spec", "template", "spec", "terminationGracePeriodSeconds"), "40s"),
        ("Deployment", "envoi-worker", ("spec", "template", "spec", "containers"), {}),
        ("NetworkPolicy", "envoi", ("spec", "egress"), {"to": []}),
        ("PodDisruptionBudget", "envoi-worker", ("spec", "maxUnavailible"), 1),
        ("StatefulSet", "redis", ("apiVersion",), "apps/v1beta1"),
    ],
)
def test_a_mistake_would_be_seen(kind: str, name: str, path: tuple[str, ...], value: object) -> None:
    one = copy.deepcopy(named(kind, name))
    inner = one
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    assert problems(one) != []


def test_the_kustomization_takes_what_is_for_every_cluster() -> None:
    [kustomization] = documents(FOLDER / "kustomization.yaml")
    resources = set(kustomization["resources"])
    assert resources == {file.name for file in FOLDER.glob("*.yaml")} - BESIDE
    comment = (FOLDER / "kustomization.yaml").read_text()
    assert all(name in comment for name in BESIDE - {"kustomization.yaml"})
    for _, one in every():
        if one["kind"] not in {"Namespace", "Kustomization"}:
            assert one["metadata"].get("namespace", "envoi") == kustomization["namespace"]


def test_every_setting_that_is_set_exists_and_has_a_good_value() -> None:
    fields = {f"ENVOI_{name.upper()}" for name in Settings.model_fields}
    for name in OURS:
        found = environment(pods()[name], SECRETS)
        assert found.keys() <= fields, name
        values = {key.removeprefix("ENVOI_").lower(): value for key, value in found.items()}
        Settings.model_validate(values)


def test_worker_and_scheduler_go_by_the_same_settings() -> None:
    worker, scheduler = (environment(pods()[name], SECRETS) for name in ("envoi-worker", "envoi-scheduler"))
    own = {"ENVOI_REDIS_URL", "ENVOI_METRICS_PORT", "ENVOI_CONCURRENCY", "ENVOI_ALERT_URL"}
    assert {key: value for key, value in worker.items() if key not in own} == {
        key: value for key, value in scheduler.items() if key not in own
    }


def test_secrets_are_in_no_manifest_and_each_part_has_its_own_user_of_redis() -> None:
    given = named("Secret", "envoi")["stringData"]
    assert given.keys() == SECRETS.keys()
    assert all("FILL-IN" in value for value in given.values())
    for name in OURS:
        for variable in container(pods()[name]).get("env", []):
            if re.search(r"SECRET|KEYS|URL|TOKEN|PASSWORD", variable["name"]):
                assert "secretKeyRef" in variable["valueFrom"], variable["name"]
    users = (FOLDER.parent / "redis" / "users.acl").read_text()
    for part in ("worker", "scheduler", "operator"):
        user = re.match(r"redis://(\S+):FILL-IN@redis\.envoi\.svc:6379/0$", given[f"redis-{part}-url"])
        assert user
        assert f"user {user[1]} " in users
    assert environment(pods()["envoi-migrate"], SECRETS).keys() == {"ENVOI_DATABASE_URL"}  # it needs no key to a token


def test_each_part_runs_the_image_behind_its_entrypoint_as_compose_does() -> None:
    for name in COMPOSED:
        one = container(pods()[name])
        assert "command" not in one, "the entrypoint is tini: process 1 would outlive its dead-man timer"
        assert one["args"] == COMPOSE[name.removeprefix("envoi-")].spec["command"]
        assert re.fullmatch(r"envoi:\d+\.\d+", one["image"])


def test_a_part_ends_by_itself_before_it_is_killed() -> None:
    assert pods()["envoi-worker"]["terminationGracePeriodSeconds"] >= Settings().shutdown_time + 10
    for name in ("envoi-scheduler", "envoi-console"):
        assert pods()[name]["terminationGracePeriodSeconds"] >= 20


def test_nothing_has_a_right_that_it_does_not_need() -> None:
    (user,) = dockerfile.all_of("USER")
    for name, pod in pods().items():
        assert pod["automountServiceAccountToken"] is False, name
        security = pod["securityContext"]
        assert security["runAsNonRoot"] is True
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        if name in OURS:
            assert f"{security['runAsUser']}:{security['runAsGroup']}" == user
        assert container(pod)["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
        for volume in pod["volumes"]:
            assert "hostPath" not in volume
    labels = named("Namespace", "envoi")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_memory_is_bounded_and_no_process_is_held_up_by_a_quota() -> None:
    for name, pod in pods().items():
        resources = container(pod)["resources"]
        assert {"cpu", "memory"} <= resources["requests"].keys()
        assert "cpu" not in resources["limits"], name
        assert memory(resources["limits"]["memory"]) >= memory(resources["requests"]["memory"])


def test_probes_ask_the_port_of_metrics_by_progress_and_not_by_redis() -> None:
    for name in ("envoi-worker", "envoi-scheduler"):
        one = container(pods()[name])
        [port] = one["ports"]
        assert environment(pods()[name], SECRETS)["ENVOI_METRICS_PORT"] == str(port["containerPort"])
        probes = {kind: one[f"{kind}Probe"]["httpGet"] for kind in PROBES}
        assert {probe["port"] for probe in probes.values()} == {port["name"]}
        assert [probes[kind]["path"] for kind in probes] == ["/healthz", "/healthz", "/readyz"]


def test_an_upgrade_and_a_drained_node_leave_one_of_each_at_work() -> None:
    for name in ("envoi-worker", "envoi-scheduler"):
        deployment, budget = named("Deployment", name), named("PodDisruptionBudget", name)
        assert deployment["spec"]["replicas"] >= 2
        assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        assert deployment["spec"]["selector"]["matchLabels"] == labels
        assert budget["spec"]["selector"]["matchLabels"] == labels
        assert budget["spec"]["maxUnavailable"] < deployment["spec"]["replicas"]


def test_nobody_gets_in_but_who_must() -> None:
    policies = {one["metadata"]["name"]: one["spec"] for _, one in every() if one["kind"] == "NetworkPolicy"}
    for policy in policies.values():
        assert policy["policyTypes"] == ["Ingress", "Egress"]
    for name in OURS:  # each pod of ours is under the first
        kind = "Job" if name in {"envoi-migrate", "envoi-commands"} else "Deployment"
        labels = named(kind, name)["spec"]["template"]["metadata"]["labels"]
        assert policies["envoi"]["podSelector"]["matchLabels"].items() <= labels.items()
    let_in = {port["port"] for rule in policies["envoi"]["ingress"] for port in rule["ports"]}
    assert let_in == {container(pods()[name])["ports"][0]["containerPort"] for name in OURS[:2]}
    assert all(rule["from"] for policy in policies.values() for rule in policy["ingress"])
    out = {port["port"] for rule in policies["envoi"]["egress"] for port in rule["ports"]}
    assert out == {53, 6379, 5432, 443}
    assert policies["redis"]["egress"] == []


def test_only_what_may_be_left_out_is_optional_in_the_secret() -> None:
    optional = set()
    for name in OURS:
        for variable in container(pods()[name])["env"]:
            reference = variable.get("valueFrom", {}).get("secretKeyRef", {})
            optional |= {reference["key"]} if reference.get("optional") else set()
    assert optional == OPTIONAL
    without = {key: value for key, value in SECRETS.items() if key not in OPTIONAL}
    assert "ENVOI_ALERT_URL" not in environment(pods()["envoi-scheduler"], without)


def test_no_file_uses_what_yaml_readers_differ_in() -> None:
    for file in FOLDER.glob("*.yaml"):
        assert not re.search(r"(?m)[:\s][&*]\w+\s*$|<<:", file.read_text()), file.name
        assert list(yaml.safe_load_all(file.read_text()))
