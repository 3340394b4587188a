"""The values that all formats share: the processes of the service, their addresses, settings and limits."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import urlsplit

from core.configuration.settings import Settings
from core.deployment.exported_settings import Environment
from core.errors import ConfigError
from core.storage.database import serves_several

NAME = "csps-llm"
IMAGE = "csps-llm:latest"
HOME = "/opt/csps-llm"  # of the image
PYTHON = f"{HOME}/.venv/bin/python"
DATA = "/var/lib/csps-llm"
CONFIG = "/etc/csps-llm"
USER_ID = 10001  # of the image
MODEL_PORT = 8080
STOP_MARGIN_S = 10  # between the end of a drain and SIGKILL
DATABASE_EXAMPLE = "postgresql+psycopg://USER:PASSWORD@HOST/NAME"

Exposure = Literal["people", "platform", "inside"]


@dataclass(frozen=True, slots=True)
class Resources:
    """Requests and limits of one process: cores, MiB. `memory_mb` is the limit, half of it the request."""

    cores: float
    memory_mb: int


@dataclass(frozen=True, slots=True)
class DeployedProcess:
    """A process of the Procfile. `arguments` follow the Python interpreter, or are a whole command.

    `host_variable`: the one that names its address; None if it has no port. `exposure`: who sends it requests.
    """

    name: str
    arguments: tuple[str, ...]
    grace_s: int
    port: int | None = None
    host_variable: str | None = None
    health_path: str = "/healthz"
    ready_path: str | None = "/readyz"
    exposure: Exposure = "inside"
    replicas: int = 1
    resources: Resources = Resources(0.25, 768)
    is_ours: bool = True

    @property
    def full_name(self) -> str:
        return f"{NAME}-{self.name}"


@dataclass(frozen=True, slots=True)
class ServicePlan:
    """`files`: those of the operator's folder by their paths in it. `hosts`: the names of the page's addresses."""

    processes: Sequence[DeployedProcess]
    environment: Environment
    files: Mapping[str, bytes]
    hosts: Sequence[str] = ()
    shares_database: bool = False  # PostgreSQL, in which several processes work
    model_file: str | None = None
    certificate: str | None = None  # of the bot for Teams

    def find(self, name: str) -> DeployedProcess | None:
        return next((each for each in self.processes if each.name == name), None)


@dataclass(frozen=True, slots=True)
class Command:
    """A process of the Procfile that runs with the present settings. `arguments` follow the Python interpreter."""

    name: str
    arguments: tuple[str, ...]
    grace_s: float
    is_ours: bool


def describe_process(command: Command, settings: Settings, *, several: bool) -> DeployedProcess:
    """`several`: the processes share a PostgreSQL, so that two of a kind can run."""
    name, grace_s = command.name, math.ceil(command.grace_s) + STOP_MARGIN_S
    process = DeployedProcess(name, command.arguments, grace_s, is_ours=command.is_ours)
    match name:
        case _ if not command.is_ours:
            return process
        case "web":
            web = replace(process, port=settings.web.port or 5000, host_variable="HOST", exposure="people")
            return replace(web, replicas=2 if several else 1, resources=Resources(0.5, 1024))
        case "model":
            model = Resources(settings.model.cpu_threads or 4, settings.model.memory_mb or 8192)
            return replace(process, port=MODEL_PORT, health_path="/health", ready_path=None, resources=model)
    by_http = name == "teams" or (name == "slack" and settings.slack.app_token is None)
    return replace(
        process,
        port=settings.platform(name).port,
        host_variable=f"{name.upper()}_HOST",
        exposure="platform" if by_http else "inside",
        replicas=2 if several and name != "discord" else 1,  # Discord sends each event to each process
    )


def build_plan(
    commands: Sequence[Command], settings: Settings, environment: Environment, files: Mapping[str, bytes]
) -> ServicePlan:
    """Raises ConfigError if two processes have one port."""
    several = serves_several(settings.database_url)
    processes = [describe_process(command, settings, several=several) for command in commands]
    require_distinct_ports(processes)
    hosts = [host for host in (urlsplit(origin).hostname for origin in settings.web.origins) if host]
    return ServicePlan(
        processes,
        environment,
        files,
        list(dict.fromkeys(hosts)),
        several,
        settings.model.file,
        settings.teams.certificate,
    )


def require_distinct_ports(processes: Sequence[DeployedProcess]) -> None:
    seen: dict[int, str] = {}
    for process in processes:
        if process.port is not None and seen.setdefault(process.port, process.name) != process.name:
            raise ConfigError(f"{process.name} and {seen[process.port]} have the same port {process.port}: change one")


def container_environment(plan: ServicePlan) -> dict[str, str]:
    """The public variables in a container: listens on all addresses, and has its own folders."""
    hosts = {each.host_variable: "0.0.0.0" for each in plan.processes if each.host_variable}  # noqa: S104
    folders = {"CSPS_LLM_DATA": DATA, **({"CSPS_LLM_CONFIG": CONFIG} if plan.files else {})}
    return {**plan.environment.public, **hosts, **folders, "LOG_FORMAT": "json"}
