"""deploy/kubernetes as Kubernetes reads it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import yaml

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "deploy" / "kubernetes"

# What runs the image, as Compose does, and where operators run commands.
COMPOSED = ("envoi-worker", "envoi-scheduler", "envoi-migrate", "envoi-console")
OURS = (*COMPOSED, "envoi-commands")
PROBES = ("startup", "liveness", "readiness")
# A value for every key that the secret ``envoi`` has.
SECRETS = {
    "secret-keys": "key",
    "app-secret": "secret",
    "database-url": "postgresql://h/d",
    "redis-worker-url": "redis://envoi-worker:x@redis:6379/0",
    "redis-scheduler-url": "redis://envoi-scheduler:x@redis:6379/0",
    "redis-operator-url": "redis://envoi-operator:x@redis:6379/0",
    "alert-url": "https://chat.example/hooks/x",
    "console-password": "scrypt:x",
}
# Not of Kubernetes itself, and so in no schema of its own: KEDA's, and kustomize's.
FOREIGN = {"ScaledObject", "Kustomization"}
# The definitions of the kinds that we use, from Kubernetes' own OpenAPI document; Apache-2.0 (kubernetes-1.32.LICENSE).
_SCHEMA: dict[str, Any] = json.loads((Path(__file__).parent / "kubernetes-1.32.json").read_text())


def documents(file: Path) -> list[dict[str, Any]]:
    """Every object of a file."""
    return list(yaml.safe_load_all(file.read_text()))


def every() -> list[tuple[str, dict[str, Any]]]:
    """Every object of every file, with its file's name."""
    return [(file.name, one) for file in sorted(FOLDER.glob("*.yaml")) for one in documents(file)]


def named(kind: str, name: str) -> dict[str, Any]:
    """One object."""
    [found] = [one for _, one in every() if one["kind"] == kind and one["metadata"]["name"] == name]
    return found


def problems(one: dict[str, Any]) -> list[str]:
    """What Kubernetes would refuse in an object."""
    schema = {**_SCHEMA["kinds"][one["kind"]], "$defs": _SCHEMA["$defs"]}
    found = jsonschema.Draft202012Validator(schema).iter_errors(one)
    return [f"{error.json_path}: {error.message}" for error in found]


def pods() -> dict[str, dict[str, Any]]:
    """The pod specification of everything that runs, by name."""
    kinds = {"Deployment", "StatefulSet", "Job"}
    return {one["metadata"]["name"]: one["spec"]["template"]["spec"] for _, one in every() if one["kind"] in kinds}


def container(pod: dict[str, Any]) -> dict[str, Any]:
    """The one container of a pod."""
    [found] = pod["containers"]
    return dict(found)


def environment(pod: dict[str, Any], secrets: dict[str, str]) -> dict[str, str]:
    """What the process finds, with the values of the secret ``envoi`` as given.

    Raises:
        KeyError: it asks for a key that is not in the secret, and not as one that may be missing.
    """
    one = container(pod)
    found: dict[str, str] = {}
    for source in one.get("envFrom", []):
        found |= named("ConfigMap", source["configMapRef"]["name"])["data"]
    for variable in one.get("env", []):
        if "value" in variable:
            found[variable["name"]] = variable["value"]
        else:
            reference = variable["valueFrom"]["secretKeyRef"]
            assert reference["name"] == "envoi"
            if reference.get("optional") and reference["key"] not in secrets:
                continue
            found[variable["name"]] = secrets[reference["key"]]
    return found


def memory(text: str) -> int:
    """An amount as Kubernetes writes it, in bytes."""
    found = re.fullmatch(r"(\d+)(Mi|Gi)", text)
    assert found, text
    return int(found[1]) * {"Mi": 2**20, "Gi": 2**30}[found[2]]
