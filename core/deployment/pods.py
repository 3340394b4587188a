"""The parts of a pod that manifests and Helm's values share: its container, settings, probes, limits and volumes.

Pods share nothing but the database, so it must be a PostgreSQL. The model's pod is asked over TCP.
"""

from __future__ import annotations

import base64
from typing import Any

from core.deployment.secret_values import FILL_IN, secret_values
from core.deployment.service_plan import (
    CONFIG,
    DATA,
    HOME,
    IMAGE,
    MODEL_PORT,
    NAME,
    USER_ID,
    DeployedProcess,
    ServicePlan,
    container_environment,
)
from core.errors import ConfigError

Object = dict[str, Any]

SETTINGS = f"{NAME}-settings"
SECRETS = f"{NAME}-secrets"
FILES = f"{NAME}-files"
CERTIFICATE = f"{NAME}-teams-certificate"
CERTIFICATE_KEY = "teams.pem"
CERTIFICATE_FOLDER = "/etc/csps-llm-teams"
# The largest object of the API: https://kubernetes.io/docs/concepts/configuration/configmap/ allows 1 MiB.
FILES_LIMIT_BYTES = 900_000
# Until every proxy knows that the pod is ending; it serves on meanwhile.
NOTICE_S = 5
TEMPORARY_FILES = "1Gi"


def build_object(version: str, kind: str, name: str, component: str | None = None, **fields: Any) -> Object:
    metadata = {"name": name, "labels": selector(component)}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **fields}


def selector(component: str | None) -> dict[str, str]:
    labels = {"app.kubernetes.io/name": NAME}
    return {**labels, "app.kubernetes.io/component": component} if component else labels


def require_own_files(plan: ServicePlan) -> None:
    """Raises ConfigError for settings that name files of this machine, and for files that are too large."""
    if plan.model_file and plan.find("model"):
        raise ConfigError(
            "LLM_MODEL_FILE names a file of this machine, which a pod does not have: set LLM_HUGGINGFACE_REPO and "
            "LLM_HUGGINGFACE_FILE, or LLM_URL"
        )
    if sum(map(len, plan.files.values())) > FILES_LIMIT_BYTES:
        raise ConfigError(
            f"CSPS_LLM_CONFIG: the folder's files have more than {FILES_LIMIT_BYTES} bytes, which no ConfigMap holds: "
            "put them into an image of your own that begins with FROM csps-llm"
        )


def pod_environment(plan: ServicePlan) -> dict[str, str]:
    environment = container_environment(plan)
    if plan.certificate:
        environment["TEAMS_CERTIFICATE"] = f"{CERTIFICATE_FOLDER}/{CERTIFICATE_KEY}"
    environment.pop("LLM_LISTEN", None)
    return environment


def pod_secrets(plan: ServicePlan, *, with_values: bool) -> dict[str, str]:
    """Raises ConfigError if a value is asked for that pods cannot use."""
    values = secret_values(plan, with_values=with_values, needs_database=True)
    if plan.find("model"):
        values.setdefault("LLM_API_KEY", FILL_IN)  # the model's pod requires it of its callers
    return values


def own_variables(process: DeployedProcess, plan: ServicePlan) -> list[Object]:
    """Variables that only this process has."""
    if plan.find("model") is None:
        return []
    if process.name == "model":
        return [{"name": "LLM_LISTEN", "value": f"0.0.0.0:{MODEL_PORT}"}]
    return [{"name": "LLM_URL", "value": f"http://{NAME}-model:{MODEL_PORT}/v1"}]


def describe_pod(process: DeployedProcess, plan: ServicePlan) -> Object:
    pod: Object = {
        "serviceAccountName": NAME,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": process.grace_s + NOTICE_S,
        "securityContext": pod_security(),
        "containers": [describe_container(process, plan)],
        "volumes": describe_volumes(process, plan),
    }
    if process.replicas > 1:
        pod["topologySpreadConstraints"] = [spread(process)]
    return pod


def pod_security() -> Object:
    return {
        "runAsNonRoot": True,
        "runAsUser": USER_ID,
        "runAsGroup": USER_ID,
        "fsGroup": USER_ID,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def container_security() -> Object:
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def spread(process: DeployedProcess) -> Object:
    """The pods of a process on several machines, where there are some."""
    return {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": selector(process.name)},
    }


def describe_container(process: DeployedProcess, plan: ServicePlan) -> Object:
    container: Object = {
        "name": process.name,
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        ("args" if process.is_ours else "command"): list(process.arguments),
        "workingDir": HOME,
        "envFrom": [{"configMapRef": {"name": SETTINGS}}, {"secretRef": {"name": SECRETS}}],
        **({"env": variables} if (variables := own_variables(process, plan)) else {}),
        "resources": describe_resources(process),
        "securityContext": container_security(),
        "volumeMounts": describe_mounts(plan),
    }
    if process.port:
        container["ports"] = [{"name": "http", "containerPort": process.port}]
        container.update(describe_probes(process))
        container["lifecycle"] = {"preStop": {"exec": {"command": ["sleep", str(NOTICE_S)]}}}
    return container


def describe_resources(process: DeployedProcess) -> Object:
    """No limit of cores: it would stop a process that has the machine to itself."""
    needs = process.resources
    return {
        "requests": {"cpu": f"{round(needs.cores * 1000)}m", "memory": f"{needs.memory_mb // 2}Mi"},
        "limits": {"memory": f"{needs.memory_mb}Mi"},
    }


def describe_probes(process: DeployedProcess) -> Object:
    alive = {"httpGet": {"path": process.health_path, "port": "http"}}
    ready = {"httpGet": {"path": process.ready_path or process.health_path, "port": "http"}}
    return {
        "startupProbe": {**alive, "periodSeconds": 2, "failureThreshold": 150},
        "livenessProbe": {**alive, "periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 6},
        "readinessProbe": {**ready, "periodSeconds": 5, "timeoutSeconds": 5, "failureThreshold": 2},
    }


def describe_mounts(plan: ServicePlan) -> list[Object]:
    mounts: list[Object] = [{"name": "data", "mountPath": DATA}, {"name": "tmp", "mountPath": "/tmp"}]  # noqa: S108
    if plan.files:
        mounts.append({"name": "files", "mountPath": CONFIG, "readOnly": True})
    if plan.certificate:
        mounts.append({"name": "certificate", "mountPath": CERTIFICATE_FOLDER, "readOnly": True})
    return mounts


def describe_volumes(process: DeployedProcess, plan: ServicePlan) -> list[Object]:
    """Only the model's data outlives its pod: everything else is in the database."""
    claim = {"persistentVolumeClaim": {"claimName": process.full_name}}
    volumes: list[Object] = [
        {"name": "data", **(claim if process.name == "model" else {"emptyDir": {"sizeLimit": "4Gi"}})},
        {"name": "tmp", "emptyDir": {"sizeLimit": TEMPORARY_FILES}},
    ]
    if plan.files:
        items = [{"key": file_key(path), "path": path} for path in plan.files]
        volumes.append({"name": "files", "configMap": {"name": FILES, "items": items}})
    if plan.certificate:
        volumes.append({"name": "certificate", "secret": {"secretName": CERTIFICATE, "defaultMode": 0o440}})
    return volumes


def config_files(plan: ServicePlan) -> tuple[dict[str, str], dict[str, str]]:
    """The operator's files by key: texts, and other files in Base64."""
    texts: dict[str, str] = {}
    binaries: dict[str, str] = {}
    for path, content in plan.files.items():
        try:
            texts[file_key(path)] = content.decode()
        except UnicodeDecodeError:
            binaries[file_key(path)] = base64.b64encode(content).decode()
    return texts, binaries


def file_key(path: str) -> str:
    """A path as a key, which has no slash: `sources/a.csv` becomes `sources..a.csv`."""
    return path.replace("/", "..")
