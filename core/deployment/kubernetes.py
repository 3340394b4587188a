"""Manifests of Kubernetes: for each process a Deployment and what it needs; settings and secrets apart."""

from __future__ import annotations

from collections.abc import Iterator

from core.deployment.kubernetes_network import describe_ingress, network_policies
from core.deployment.pods import (
    FILES,
    SECRETS,
    SETTINGS,
    Object,
    build_object,
    config_files,
    describe_pod,
    pod_environment,
    pod_secrets,
    require_own_files,
    selector,
)
from core.deployment.service_plan import NAME, DeployedProcess, ServicePlan
from core.deployment.yaml_text import write_yaml

MODELS_VOLUME = "50Gi"
COMMENT = """Runs csps-llm: kubectl apply -f secrets.yaml -f csps-llm.yaml
Set `image` to where you pushed it. The policies let anyone in the cluster reach the page: name your ingress there.
WEB_TRUSTED must name the network of the ingress, or all people look like one."""
SECRETS_COMMENT = "Keep this file from others, or create the Secret from your vault under the same name."


def kubernetes_files(plan: ServicePlan, *, with_secrets: bool) -> dict[str, str]:
    """The texts of the files by name. Raises ConfigError for settings that pods cannot have."""
    require_own_files(plan)
    return {
        "secrets.yaml": write_yaml([describe_secrets(plan, with_values=with_secrets)], SECRETS_COMMENT),
        "csps-llm.yaml": write_yaml(describe_objects(plan), COMMENT),
    }


def describe_secrets(plan: ServicePlan, *, with_values: bool) -> Object:
    return build_object("v1", "Secret", SECRETS, type="Opaque", stringData=pod_secrets(plan, with_values=with_values))


def describe_files(plan: ServicePlan) -> Object:
    texts, binaries = config_files(plan)
    return build_object("v1", "ConfigMap", FILES, data=texts, binaryData=binaries)


def describe_objects(plan: ServicePlan) -> Iterator[Object]:
    yield build_object("v1", "ServiceAccount", NAME, automountServiceAccountToken=False)
    yield build_object("v1", "ConfigMap", SETTINGS, data=pod_environment(plan))
    if plan.files:
        yield describe_files(plan)
    for process in plan.processes:
        yield from describe_process(process, plan)
    yield from network_policies(plan)
    if plan.hosts:
        yield describe_ingress(plan)


def describe_process(process: DeployedProcess, plan: ServicePlan) -> Iterator[Object]:
    if process.name == "model":
        claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": MODELS_VOLUME}}}
        yield build_object("v1", "PersistentVolumeClaim", process.full_name, spec=claim)
    yield build_object(
        "apps/v1", "Deployment", process.full_name, process.name, spec=describe_deployment(process, plan)
    )
    if process.port:
        ports = [{"name": "http", "port": process.port, "targetPort": "http"}]
        service = {"selector": selector(process.name), "ports": ports}
        yield build_object("v1", "Service", process.full_name, process.name, spec=service)
    budget = {"maxUnavailable": 1, "selector": {"matchLabels": selector(process.name)}}
    yield build_object("policy/v1", "PodDisruptionBudget", process.full_name, process.name, spec=budget)


def describe_deployment(process: DeployedProcess, plan: ServicePlan) -> Object:
    return {
        "replicas": process.replicas,
        "revisionHistoryLimit": 3,
        "selector": {"matchLabels": selector(process.name)},
        "strategy": describe_strategy(process),
        "template": {"metadata": {"labels": selector(process.name)}, "spec": describe_pod(process, plan)},
    }


def describe_strategy(process: DeployedProcess) -> Object:
    """A new pod is ready before an old one stops, where two may run at once."""
    if process.replicas == 1 and process.name != "web":
        return {"type": "Recreate"}
    return {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
