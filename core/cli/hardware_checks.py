"""The checks of `csps-llm doctor` on the machine: processor, cores, memory, GPUs, and how a model would be loaded.

The engine answers in a process of its own, because it aborts where a driver fails.
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.cli.findings import Finding, FindingBuilder
from core.configuration.settings import Settings
from core.model.hardware.cgroups import ControlGroups
from core.model.hardware.commands import run_command
from core.model.hardware.gpus import Gpu, GpuKind
from core.model.hardware.machine import Machine, inspect_machine
from core.model.hardware.memory import read_memory
from core.model.hardware.processor import choose_threads, physical_cores
from core.model.library.gguf_file import ModelFile
from core.model.worker.options import WorkerOptions

PROBE_DEADLINE_S = 60.0  # a GPU's driver may take long to start
BACKENDS: dict[GpuKind, str] = {"cuda": "CUDA", "rocm": "ROCm", "vulkan": "Vulkan", "metal": "Metal"}


def check_hardware(build: FindingBuilder) -> Iterator[Finding]:
    """Checks what is the same for every model."""
    machine = inspect_machine()
    yield check_processor(build, machine)
    yield check_machine_memory(build)
    yield check_gpus(build, machine, ask_engine("--probe"))


def check_processor(build: FindingBuilder, machine: Machine) -> Finding:
    found = ", ".join([machine.processor, platform.machine(), *machine.features])
    slow = not {"AVX2", "NEON"} & set(machine.features)
    return build("cpu", "warn" if slow else "ok", found, "cpu" if slow else None)


def check_cores(build: FindingBuilder, settings: Settings) -> Iterator[Finding]:
    """Compares the setting with the cores that this process may use."""
    usable, threads = choose_threads(), settings.model.cpu_threads
    values = {"physical": physical_cores(), "usable": usable, "threads": threads or usable}
    quota = ControlGroups().cpu_quota()
    found = build.found("cores_quota", **values, quota=quota) if quota else build.found("cores", **values)
    if threads is not None and threads > usable:
        yield build("cores", "warn", found, "cores", physical=usable)
    else:
        yield build("cores", "ok", found)


def check_machine_memory(build: FindingBuilder) -> Finding:
    """The memory of the machine, and the limit of this container or service."""
    memory = read_memory()
    if memory is None:
        return build("ram", "warn", build.found("ram_unknown"))
    values = {"total": memory.total_bytes, "available": memory.available_bytes}
    if memory.limit_bytes is None:
        return build("ram", "ok", build.found("ram", **values))
    return build("ram", "ok", build.found("ram_limited", **values, limit=memory.limit_bytes))


def check_gpus(build: FindingBuilder, machine: Machine, probe: dict[str, Any] | None) -> Finding:
    """Compares the GPUs that drivers list with those that the engine can use."""
    if probe is None:
        return build("engine", "problem", build.found("engine_dead"), "engine")
    found = ", ".join(describe_gpu(gpu, build) for gpu in machine.gpus) or build.found("gpu_none")
    compiled = ", ".join(BACKENDS[kind] for kind in sorted(machine.engine_backends))
    engine = build.found("engine_gpu", backends=compiled) if compiled else build.found("engine_cpu")
    found = f"{found}; {engine}"
    if compiled and not probe["devices"]:
        return build("gpu", "warn", found, "gpu_driver", backends=compiled)
    if machine.gpus and not machine.usable_gpus:
        integrated = all(gpu.unified for gpu in machine.gpus)
        return build("gpu", "ok" if integrated else "warn", found, "gpu_integrated" if integrated else "gpu")
    return build("gpu", "ok", found)


def describe_gpu(gpu: Gpu, build: FindingBuilder) -> str:
    if not gpu.total_bytes:
        return gpu.name
    return build.found("gpu", name=gpu.name, total=gpu.total_bytes, free=gpu.free_bytes)


def check_placement(build: FindingBuilder, settings: Settings, path: Path) -> Finding:
    """Checks the way in which the model would be loaded now, with these settings and the values of `tune`."""
    options = WorkerOptions.from_settings(settings, ModelFile(path, path.stem))
    plan = ask_engine("--plan", options.to_json())
    if plan is None:
        return build("placement", "problem", build.found("engine_dead"), "engine")
    if "problem" in plan:
        return build("placement", "problem", plan["problem"], "settings")
    values = {name: plan[name] for name in ("cells", "kv_type", "threads", "threads_batch")}
    values["cache"] = plan["cache_bytes"]
    if plan["gpu_layers"]:
        found = build.found("placement", **values, gpu_layers=plan["gpu_layers"], layers=plan["layers"])
    else:
        found = build.found("placement_cpu", **values)
    return build("placement", "ok", found, None if plan["tuned"] else "tune")


def ask_engine(*arguments: str) -> dict[str, Any] | None:
    """Returns the answer of `core.model.worker.prepare`; None if the engine does not start."""
    command = (sys.executable, "-m", "core.model.worker.prepare", *arguments)
    output = run_command(*command, deadline_s=PROBE_DEADLINE_S)
    try:
        answer = json.loads((output or "").strip().rpartition("\n")[2])
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None
