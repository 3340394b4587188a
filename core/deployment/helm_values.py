"""Values for `app-template` (version 5), the generic chart of bjw-s: https://bjw-s-labs.github.io/helm-charts/.

The service has no chart of its own, which would repeat the manifests of `core.deployment.kubernetes` as templates.
"""

from __future__ import annotations

from typing import Any

from core.deployment.kubernetes import (
    MODELS_VOLUME,
    SECRETS_COMMENT,
    describe_files,
    describe_secrets,
    describe_strategy,
)
from core.deployment.kubernetes_network import describe_callers, describe_egress, describe_ingress
from core.deployment.pods import (
    Object,
    describe_container,
    describe_mounts,
    describe_pod,
    describe_volumes,
    pod_environment,
    require_own_files,
)
from core.deployment.service_plan import IMAGE, NAME, DeployedProcess, ServicePlan
from core.deployment.yaml_text import write_yaml

COMMENT = f"""Values of the chart app-template 5: kubectl apply -f secrets.yaml, then
helm install {NAME} oci://ghcr.io/bjw-s-labs/helm/app-template --version 5 --values values.yaml
Set `image` to where you pushed it. The policies let anyone in the cluster reach the page: name your ingress there."""
FILES_COMMENT = "Your configuration files: kubectl apply -f files.yaml"
PROBES = {"startupProbe": "startup", "livenessProbe": "liveness", "readinessProbe": "readiness"}
COPIED = ("args", "command", "workingDir", "env", "resources", "securityContext", "lifecycle", "ports")
POD_OPTIONS = (
    *("automountServiceAccountToken", "enableServiceLinks", "terminationGracePeriodSeconds"),
    *("securityContext", "topologySpreadConstraints"),
)


def helm_files(plan: ServicePlan, *, with_secrets: bool) -> dict[str, str]:
    """The texts of the files by name. Raises ConfigError for settings that pods cannot have."""
    require_own_files(plan)
    files = {"files.yaml": write_yaml([describe_files(plan)], FILES_COMMENT)} if plan.files else {}
    return {
        "secrets.yaml": write_yaml([describe_secrets(plan, with_values=with_secrets)], SECRETS_COMMENT),
        **files,
        "values.yaml": write_yaml([describe_values(plan)], COMMENT),
    }


def describe_values(plan: ServicePlan) -> Object:
    reached = [each for each in plan.processes if each.port]
    values: Object = {
        "controllers": {each.name: describe_controller(each, plan) for each in plan.processes},
        "service": {each.name: describe_service(each) for each in reached},
        "configMaps": {"settings": {"data": pod_environment(plan)}},
        "persistence": describe_persistence(plan),
        "networkpolicies": {
            "egress": {"podSelector": {}, "policyTypes": ["Egress"], "rules": {"egress": describe_egress(plan)}},
            **{each.name: describe_policy(each) for each in reached},
        },
    }
    if plan.hosts:
        values["ingress"] = {"web": describe_way_in(plan)}
    return values


def describe_controller(process: DeployedProcess, plan: ServicePlan) -> Object:
    pod, container = describe_pod(process, plan), describe_container(process, plan)
    repository, _, tag = IMAGE.partition(":")
    strategy = describe_strategy(process)
    rolling = strategy.get("rollingUpdate")
    described: Object = {
        "type": "deployment",
        "replicas": process.replicas,
        "revisionHistoryLimit": 3,
        "strategy": strategy["type"],
        **({"rollingUpdate": rolling} if rolling else {}),
        "podDisruptionBudget": {"maxUnavailable": 1},
        "pod": {name: pod[name] for name in POD_OPTIONS if name in pod},
        "containers": {
            process.name: {
                "image": {"repository": repository, "tag": tag, "pullPolicy": "IfNotPresent"},
                **{name: container[name] for name in COPIED if name in container},
                "envFrom": [{"configMapRef": {"identifier": "settings"}}, container["envFrom"][1]],
                "probes": describe_probes(container),
            }
        },
    }
    for constraint in described["pod"].get("topologySpreadConstraints", ()):
        del constraint["labelSelector"]  # the chart's own labels
    return described


def describe_probes(container: Object) -> dict[str, Any]:
    return {
        name: {"enabled": True, "custom": True, "spec": container[probe]} if probe in container else {"enabled": False}
        for probe, name in PROBES.items()
    }


def describe_service(process: DeployedProcess) -> Object:
    ports = {"http": {"port": process.port, "targetPort": "http"}}
    return {"controller": process.name, "forceRename": process.full_name, "ports": ports}


def describe_persistence(plan: ServicePlan) -> Object:
    """The volumes of all pods, and those of one: each has its own data, and the model's outlives its pod."""
    persistence: Object = {}
    for process in plan.processes:
        paths = {mount["name"]: mount for mount in describe_mounts(plan)}
        for volume in describe_volumes(process, plan):
            name = volume.pop("name")
            mount = {"path": paths[name]["mountPath"], "readOnly": paths[name].get("readOnly", False)}
            mounts = {process.name: {process.name: [mount]}}
            if "persistentVolumeClaim" in volume:
                claim = {"type": "persistentVolumeClaim", "accessMode": "ReadWriteOnce", "size": MODELS_VOLUME}
                persistence[f"{process.name}-{name}"] = {**claim, "retain": True, "advancedMounts": mounts}
            else:
                custom = {"type": "custom", "volumeSpec": volume}
                persistence[f"{process.name}-{name}"] = {**custom, "advancedMounts": mounts}
    return persistence


def describe_policy(process: DeployedProcess) -> Object:
    rules = {"ingress": [describe_callers(process)]}
    return {"controller": process.name, "policyTypes": ["Ingress"], "rules": rules}


def describe_way_in(plan: ServicePlan) -> Object:
    ingress = describe_ingress(plan)
    paths = [{"path": "/", "pathType": "Prefix", "service": {"identifier": "web", "port": "http"}}]
    return {
        "annotations": ingress["metadata"]["annotations"],
        "hosts": [{"host": host, "paths": paths} for host in plan.hosts],
        "tls": ingress["spec"]["tls"],
    }
