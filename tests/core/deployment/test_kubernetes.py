"""Manifests of Kubernetes and values of Helm: references that exist, limits, probes, and secrets apart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.deployment.helm_values import helm_files
from core.deployment.kubernetes import kubernetes_files
from core.deployment.pods import file_key
from core.errors import ConfigError
from tests.core.deployment.support_plans import PLANTED, REMOTE, WHOLE, own_folder, plan_of

Objects = list[dict[str, Any]]
CASES = {"local": {"DATABASE_URL": REMOTE["DATABASE_URL"]}, "remote": REMOTE, "whole": WHOLE, "default": {}}


def objects_of(environ: dict[str, str]) -> Objects:
    files = kubernetes_files(plan_of(environ), with_secrets=False)
    return [each for text in files.values() for each in yaml.safe_load_all(text)]


def of_kind(objects: Objects, kind: str) -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"]: each for each in objects if each["kind"] == kind}


def pods_of(objects: Objects) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Each deployment's name, pod and container."""
    for name, deployment in of_kind(objects, "Deployment").items():
        pod = deployment["spec"]["template"]["spec"]
        yield name, pod, pod["containers"][0]


@pytest.mark.parametrize("case", CASES)
def test_each_name_that_a_manifest_uses_exists(case: str) -> None:
    """ConfigMaps, Secrets, volumes, claims, ports, accounts and selectors."""
    objects = objects_of(CASES[case])
    maps, secrets = of_kind(objects, "ConfigMap"), of_kind(objects, "Secret")

    for name, pod, container in pods_of(objects):
        used, volumes = container["envFrom"], {each["name"]: each for each in pod["volumes"]}
        assert used[0]["configMapRef"]["name"] in maps
        assert used[1]["secretRef"]["name"] in secrets
        assert {each["name"] for each in container["volumeMounts"]} == set(volumes)
        if "persistentVolumeClaim" in volumes["data"]:
            assert volumes["data"]["persistentVolumeClaim"]["claimName"] in of_kind(objects, "PersistentVolumeClaim")
        assert pod["serviceAccountName"] in of_kind(objects, "ServiceAccount")
        labels = of_kind(objects, "Deployment")[name]["spec"]["template"]["metadata"]["labels"]
        for kind in ("Service", "PodDisruptionBudget"):
            selector = of_kind(objects, kind)[name]["spec"]["selector"]
            assert selector.get("matchLabels", selector).items() <= labels.items()
        assert "http" == container["ports"][0]["name"]


@pytest.mark.parametrize("case", CASES)
def test_each_pod_is_confined(case: str) -> None:
    """As the restricted standard of Kubernetes asks, and with a read-only root."""
    for _, pod, container in pods_of(objects_of(CASES[case])):
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert "RuntimeDefault" == pod["securityContext"]["seccompProfile"]["type"]
        assert pod["automountServiceAccountToken"] is False
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["limits"]["memory"]


def test_a_pod_ends_after_its_answers() -> None:
    """The notice, WEB_DRAIN_S and a margin fit into the time that Kubernetes gives."""
    pods = {name: (pod, container) for name, pod, container in pods_of(objects_of(WHOLE))}
    pod, container = pods["csps-llm-web"]

    notice_s = int(container["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pod["terminationGracePeriodSeconds"] > notice_s + 45


def test_pages_are_served_while_pods_are_replaced() -> None:
    """A new pod is ready before an old one stops. Discord sends every event to each process, so it has one."""
    deployments = of_kind(objects_of(WHOLE), "Deployment")

    assert 2 == deployments["csps-llm-web"]["spec"]["replicas"]
    assert {"maxUnavailable": 0, "maxSurge": 1} == deployments["csps-llm-web"]["spec"]["strategy"]["rollingUpdate"]
    assert "Recreate" == deployments["csps-llm-discord"]["spec"]["strategy"]["type"]


def test_probes_ask_the_paths_of_the_service() -> None:
    """A pod that is being stopped is not ready, and alive."""
    for _, _, container in pods_of(objects_of(WHOLE)):
        assert "/healthz" == container["livenessProbe"]["httpGet"]["path"]
        assert "/readyz" == container["readinessProbe"]["httpGet"]["path"]


def test_a_model_in_the_cluster_is_asked_over_tcp_with_a_key() -> None:
    """Pods share no socket. Only pods of the service may reach it."""
    objects = objects_of(CASES["local"])
    pods = {name: container for name, _, container in pods_of(objects)}

    assert [{"name": "LLM_LISTEN", "value": "0.0.0.0:8080"}] == pods["csps-llm-model"]["env"]
    assert [{"name": "LLM_URL", "value": "http://csps-llm-model:8080/v1"}] == pods["csps-llm-web"]["env"]
    assert "LLM_API_KEY" in of_kind(objects, "Secret")["csps-llm-secrets"]["stringData"]
    callers = of_kind(objects, "NetworkPolicy")["csps-llm-model"]["spec"]["ingress"][0]["from"]
    assert [{"podSelector": {"matchLabels": {"app.kubernetes.io/name": "csps-llm"}}}] == callers


def test_people_reach_the_page_by_the_hosts_of_the_origins() -> None:
    """With HTTPS. Without WEB_ORIGINS there is no way in."""
    rules = of_kind(objects_of(WHOLE), "Ingress")["csps-llm"]["spec"]["rules"]

    assert ["chat.example.gc.ca"] == [rule["host"] for rule in rules]
    assert not of_kind(objects_of(REMOTE), "Ingress")


@pytest.mark.parametrize("write", [kubernetes_files, helm_files])
def test_secrets_are_in_one_file_and_only_if_asked_for(write: Any) -> None:
    """No other file has a planted value."""
    hidden, shown = write(plan_of(WHOLE), with_secrets=False), write(plan_of(WHOLE), with_secrets=True)

    assert PLANTED not in "".join(hidden.values())
    assert {"secrets.yaml"} == {name for name, text in shown.items() if PLANTED in text}


def test_sqlite_is_not_exported_as_the_pods_database() -> None:
    """A placeholder stands there; with values, the export is refused."""
    assert "postgresql+psycopg://USER:PASSWORD@HOST/NAME" in str(objects_of({}))

    with pytest.raises(ConfigError, match="PostgreSQL"):
        kubernetes_files(plan_of({}), with_secrets=True)


def test_a_model_file_of_this_machine_is_refused(tmp_path: Path) -> None:
    """A pod does not have it."""
    with pytest.raises(ConfigError, match="LLM_HUGGINGFACE_REPO"):
        objects_of({"LLM_MODEL_FILE": str(tmp_path / "model.gguf")})


def test_the_operators_folder_is_mounted_as_it_is(tmp_path: Path) -> None:
    """Subfolders and files that are no text included."""
    objects = objects_of({"CSPS_LLM_CONFIG": str(own_folder(tmp_path / "own")), **REMOTE})
    files = of_kind(objects, "ConfigMap")["csps-llm-files"]

    _, pod, container = next(pods_of(objects))
    volume = next(each["configMap"] for each in pod["volumes"] if each["name"] == "files")
    assert {"icons/color.png", "personalities/guide.toml"} == {item["path"] for item in volume["items"]}
    assert {item["key"] for item in volume["items"]} == {*files["data"], *files["binaryData"]}
    assert "/etc/csps-llm" in [mount["mountPath"] for mount in container["volumeMounts"]]
    assert "personalities..guide.toml" == file_key("personalities/guide.toml")


@pytest.mark.parametrize("case", CASES)
def test_the_values_of_helm_have_the_pods_of_the_manifests(case: str) -> None:
    """The same processes, variables, mounts and stop times."""
    plan, objects = plan_of(CASES[case]), objects_of(CASES[case])
    values = yaml.safe_load(helm_files(plan, with_secrets=False)["values.yaml"])

    assert of_kind(objects, "ConfigMap")["csps-llm-settings"]["data"] == values["configMaps"]["settings"]["data"]
    for name, pod, container in pods_of(objects):
        controller = values["controllers"][name.removeprefix("csps-llm-")]
        described = controller["containers"][container["name"]]
        assert pod["terminationGracePeriodSeconds"] == controller["pod"]["terminationGracePeriodSeconds"]
        assert container["securityContext"] == described["securityContext"]
        assert container["readinessProbe"] == described["probes"]["readiness"]["spec"]
        mounts = [
            mount["path"]
            for volume in values["persistence"].values()
            for mount in volume["advancedMounts"].get(container["name"], {}).get(container["name"], [])
        ]
        assert sorted(mounts) == sorted(mount["mountPath"] for mount in container["volumeMounts"])
