"""What of deploy/kubernetes is applied by itself, or not: the console, operators' commands, Redis, scaling."""

from __future__ import annotations

from typing import Any

import pytest

from envoi.console.password import BadPassword, Password
from tests.unit.compose.compose_file import size
from tests.unit.deploy.manifests import PROBES, SECRETS, container, environment, every, memory, named, pods


def test_the_console_is_open_to_nobody_until_somebody_is_let_in_and_never_without_a_password() -> None:
    pod, policy = pods()["envoi-console"], named("NetworkPolicy", "envoi-console")["spec"]
    [port] = container(pod)["ports"]
    labels = named("Deployment", "envoi-console")["spec"]["template"]["metadata"]["labels"]
    assert policy["podSelector"]["matchLabels"] == labels
    assert policy["ingress"] == [
        {
            "from": [{"namespaceSelector": {"matchLabels": {"envoi-console": "yes"}}}],
            "ports": [{"port": port["containerPort"]}],
        }
    ]
    [password] = [one for one in container(pod)["env"] if one["name"] == "ENVOI_CONSOLE_PASSWORD"]
    assert "optional" not in password["valueFrom"]["secretKeyRef"]  # without it the pod does not start
    with pytest.raises(BadPassword):
        Password(named("Secret", "envoi")["stringData"]["console-password"])
    service = named("Service", "envoi-console")["spec"]
    assert service["selector"] == labels
    assert service.get("type", "ClusterIP") == "ClusterIP"
    assert [one["targetPort"] for one in service["ports"]] == [port["name"]]
    assert "Ingress" not in {one["kind"] for _, one in every()}


def test_the_console_holds_no_key_to_a_token_and_there_is_one() -> None:
    found = environment(pods()["envoi-console"], SECRETS)
    assert not {"ENVOI_SECRET_KEYS", "ENVOI_APP_SECRET", "ENVOI_ALERT_URL"} & found.keys()
    assert found["ENVOI_REDIS_URL"] == SECRETS["redis-operator-url"]
    assert found.items() >= named("ConfigMap", "envoi")["data"].items()
    deployment = named("Deployment", "envoi-console")["spec"]
    assert (deployment["replicas"], deployment["strategy"]) == (1, {"type": "Recreate"})
    probes = {kind: container(pods()["envoi-console"])[f"{kind}Probe"]["httpGet"] for kind in PROBES}
    assert {(probe["path"], probe["port"]) for probe in probes.values()} == {("/healthz", "http")}


def test_commands_find_what_operators_need_for_an_hour() -> None:
    found = environment(pods()["envoi-commands"], SECRETS)
    scheduler = environment(pods()["envoi-scheduler"], SECRETS)  # whose settings `envoi doctor` is to judge
    assert found == {key: value for key, value in scheduler.items() if key != "ENVOI_METRICS_PORT"} | {
        "ENVOI_REDIS_URL": SECRETS["redis-operator-url"]
    }
    assert container(pods()["envoi-commands"])["command"] == ["tini", "--", "sleep", "3600"]
    assert named("Job", "envoi-commands")["spec"]["ttlSecondsAfterFinished"] > 0


def test_redis_never_evicts_keeps_its_data_and_asks_who_is_there() -> None:
    redis = container(pods()["redis"])
    program, *rest = redis["command"]
    options = {name.removeprefix("--"): value for name, value in zip(rest[::2], rest[1::2], strict=True)}
    assert program == "redis-server"
    assert options["maxmemory-policy"] == "noeviction"
    assert (options["appendonly"], options["appendfsync"]) == ("yes", "everysec")
    assert 2 * size(options["maxmemory"]) <= memory(redis["resources"]["limits"]["memory"])
    mounts = {mount["name"]: mount for mount in redis["volumeMounts"]}
    assert options["dir"] == mounts["data"]["mountPath"]
    assert options["aclfile"] == f"{mounts['users']['mountPath']}/users.acl"
    assert named("Secret", "envoi-redis")["stringData"].keys() == {"users.acl"}
    [claim] = named("StatefulSet", "redis")["spec"]["volumeClaimTemplates"]
    assert claim["metadata"]["name"] == "data"


def test_workers_are_added_by_the_age_of_replies_and_within_bounds() -> None:
    scaled: dict[str, Any] = named("ScaledObject", "envoi-worker")["spec"]
    assert scaled["scaleTargetRef"]["name"] == named("Deployment", "envoi-worker")["metadata"]["name"]
    assert 2 <= scaled["minReplicaCount"] < scaled["maxReplicaCount"]
    [trigger] = scaled["triggers"]
    assert trigger["type"] == "prometheus"
    assert trigger["metadata"]["query"] == 'max(envoi_waiting_oldest_seconds{lane="replies"})'
