"""Units of systemd: one service for each process, and a target that starts them all. Written for systemd 247 and newer.

`systemd-analyze security` rates the services 1.x to 2.x: they need the network, and nothing else of the machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from core.deployment.environment_file import write_variables
from core.deployment.secret_values import secret_values
from core.deployment.service_plan import CONFIG, NAME, DeployedProcess, ServicePlan

TARGET = f"{NAME}.target"
SETTINGS = f"{CONFIG}/settings.env"
SECRETS = f"{CONFIG}/secrets.env"
OPERATOR_MUST_ACT = 2  # the exit code after which a restart would not help
HARDENING = (
    "NoNewPrivileges=yes",
    "CapabilityBoundingSet=",
    "AmbientCapabilities=",
    "ProtectSystem=strict",
    "PrivateTmp=yes",
    "ProtectKernelTunables=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelLogs=yes",
    "ProtectControlGroups=yes",
    "ProtectClock=yes",
    "ProtectHostname=yes",
    "ProtectProc=invisible",
    "RestrictNamespaces=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6",
    "LockPersonality=yes",
    "RemoveIPC=yes",
    "KeyringMode=private",
    "SystemCallArchitectures=native",
    "SystemCallFilter=@system-service",
    "SystemCallErrorNumber=EPERM",
    "UMask=0077",
)
# Drivers of GPUs are devices, and compile code for them.
WITHOUT_DEVICES = ("PrivateDevices=yes", "PrivateUsers=yes", "ProcSubset=pid")


def systemd_files(plan: ServicePlan, root: Path, data: Path, config: Path, *, with_secrets: bool) -> dict[str, str]:
    """The texts of the files by name. `root`: the checkout; `data`, `config`: the folders that the service has now."""
    public = {**plan.environment.public, "CSPS_LLM_DATA": str(data), "CSPS_LLM_CONFIG": str(config)}
    units = {f"{each.full_name}.service": write_service(each, plan, root, data) for each in plan.processes}
    return {
        TARGET: write_target(plan),
        **units,
        "settings.env": write_variables(public, f"Install as {SETTINGS}."),
        "secrets.env": write_variables(
            secret_values(plan, with_values=with_secrets), f"Install as {SECRETS}, owner root, mode 0600."
        ),
    }


def write_target(plan: ServicePlan) -> str:
    wants = " ".join(f"{each.full_name}.service" for each in plan.processes)
    lines = (
        *("[Unit]", "Description=csps-llm", f"Wants={wants}", ""),
        *("[Install]", "WantedBy=multi-user.target", ""),
    )
    return "\n".join(lines)


def write_service(process: DeployedProcess, plan: ServicePlan, root: Path, data: Path) -> str:
    after = ["network-online.target"]
    if process.name != "model" and plan.find("model"):
        after.append(f"{NAME}-model.service")  # which therefore stops after this one
    lines = (
        "[Unit]",
        f"Description=csps-llm: {process.name}",
        "Wants=network-online.target",
        f"After={' '.join(after)}",
        f"PartOf={TARGET}",
        "StartLimitIntervalSec=0",
        "",
        "[Service]",
        *run_lines(process, root, data),
        "",
        *protection_lines(process, root, data),
        "",
        "[Install]",
        f"WantedBy={TARGET}",
        "",
    )
    return "\n".join(lines)


def run_lines(process: DeployedProcess, root: Path, data: Path) -> Iterator[str]:
    yield "Type=exec"
    if process.is_ours:
        yield "NotifyAccess=main"
        yield "WatchdogSec=60"  # each process reports while its event loop turns
    yield f"User={NAME}"
    yield f"Group={NAME}"
    yield f"WorkingDirectory={escape(root)}"
    yield f"EnvironmentFile={SETTINGS}"
    yield f"EnvironmentFile={SECRETS}"
    yield f"ExecStart={command_line(process, root)}"
    yield "Restart=always"
    yield "RestartSec=1"
    yield f"RestartPreventExitStatus={OPERATOR_MUST_ACT}"
    yield "KillMode=mixed"  # the process ends its children itself, after the answers that need them
    yield f"TimeoutStopSec={process.grace_s}"
    yield f"ReadWritePaths={escape(data)}"


def protection_lines(process: DeployedProcess, root: Path, data: Path) -> Iterator[str]:
    yield from HARDENING
    if process.name != "model":
        yield from WITHOUT_DEVICES
    at_home = any(path.is_relative_to(home) for path in (root, data) for home in ("/home", "/root"))
    yield f"ProtectHome={'read-only' if at_home else 'yes'}"


def command_line(process: DeployedProcess, root: Path) -> str:
    python = [str(root / ".venv" / "bin" / "python")] if process.is_ours else []
    return " ".join(escape(part) for part in (*python, *process.arguments))


def escape(part: Path | str) -> str:
    """A path or argument as a word of a unit: systemd expands % and $, and splits at blanks."""
    text = str(part).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{text}"' if any(character in text for character in " '\"") else text
