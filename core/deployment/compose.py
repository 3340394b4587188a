"""A file for Docker Compose and Podman Compose: one container for each process, on one machine, with one volume."""

from __future__ import annotations

from typing import Any

from core.deployment.environment_file import write_variables
from core.deployment.secret_values import secret_values
from core.deployment.service_plan import (
    CONFIG,
    DATA,
    IMAGE,
    NAME,
    PYTHON,
    DeployedProcess,
    ServicePlan,
    container_environment,
)
from core.deployment.yaml_text import write_yaml

PROBE = "import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=5)"
COMMENT = """Runs csps-llm in containers. Build the image first: podman build -t csps-llm . (or docker build).
Fill in secrets.env, then: podman compose up -d (or docker compose up -d)."""


def compose_files(plan: ServicePlan, *, with_secrets: bool, config: str) -> dict[str, str]:
    """The texts of the files by name. `config`: the operator's folder on this machine."""
    services = {each.name: describe_service(each, plan, config) for each in plan.processes}
    document = {"name": NAME, "services": services, "volumes": {"data": {}}}
    return {
        "compose.yaml": write_yaml([document], COMMENT),
        "settings.env": write_variables(container_environment(plan), "Settings that are no secrets."),
        "secrets.env": write_variables(
            secret_values(plan, with_values=with_secrets), "Keep this file from others: mode 0600."
        ),
    }


def describe_service(process: DeployedProcess, plan: ServicePlan, config: str) -> dict[str, Any]:
    service: dict[str, Any] = {
        "image": IMAGE,
        **({} if process.is_ours else {"entrypoint": []}),
        "command": list(process.arguments),
        "env_file": ["settings.env", "secrets.env"],
        "restart": "always",
        "init": True,
        "read_only": True,
        "tmpfs": ["/tmp"],  # noqa: S108 - of the container
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "pids_limit": 512,
        "mem_limit": f"{process.resources.memory_mb}m",
        "stop_grace_period": f"{process.grace_s}s",
        "volumes": [f"data:{DATA}", *mounted_files(plan, config)],
    }
    if process.exposure != "inside" and process.port:
        address = "" if process.exposure == "platform" else "127.0.0.1:"
        service["ports"] = [f"{address}{process.port}:{process.port}"]
    # The model's process listens on a Unix socket, and restarts its workers itself.
    is_checked = process.port and process.name != "model"
    service["healthcheck"] = describe_check(process) if is_checked else {"disable": True}
    if process.name != "model" and plan.find("model"):
        service["depends_on"] = ["model"]
    return service


def describe_check(process: DeployedProcess) -> dict[str, Any]:
    url = f"http://127.0.0.1:{process.port}{process.health_path}"
    return {"test": ["CMD", PYTHON, "-c", PROBE, url], "interval": "30s", "timeout": "10s", "start_period": "60s"}


def mounted_files(plan: ServicePlan, config: str) -> list[str]:
    """Files of this machine that settings name, at the same paths, and the operator's folder."""
    named = [path for path in (plan.model_file, plan.certificate) if path]
    return [*(f"{path}:{path}:ro" for path in named), *([f"{config}:{CONFIG}:ro"] if plan.files else [])]
