"""Facts about the machine, for `doctor`: CPU features, memory, GPUs. Judges nothing."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.install.engine import cpu_flags

CPUINFO = Path("/proc/cpuinfo")
MEMINFO = Path("/proc/meminfo")
# The instruction sets for which llama.cpp has fast kernels, by the kernel's names for them.
KNOWN_FEATURES = {
    "avx2": "AVX2",
    "avx512f": "AVX-512",
    "avx512_vnni": "AVX-512 VNNI",
    "avx_vnni": "AVX-VNNI",
    "amx_int8": "AMX",
    "asimd": "NEON",
    "asimddp": "NEON dot product",
    "i8mm": "NEON i8mm",
    "sve": "SVE",
}
COMMAND_DEADLINE_S = 10.0
PROBE_DEADLINE_S = 60.0  # a GPU's driver may take long to start


@dataclass(frozen=True)
class MachineMemory:
    total_bytes: int
    available_bytes: int


def parse_cpu_features(cpuinfo: str) -> list[str]:
    """The KNOWN_FEATURES of the first CPU in the text of /proc/cpuinfo."""
    flags = cpu_flags(cpuinfo)
    return [name for flag, name in KNOWN_FEATURES.items() if flag in flags]


def cpu_features() -> list[str]:
    if CPUINFO.exists():
        return parse_cpu_features(CPUINFO.read_text(encoding="utf-8", errors="replace"))
    if platform.machine() == "arm64":
        return ["NEON"]  # every 64-bit ARM has it
    return ["AVX2"] if "AVX2" in (run_command("sysctl", "-n", "machdep.cpu.leaf7_features") or "").split() else []


def memory() -> MachineMemory | None:
    """None if the system does not tell."""
    if MEMINFO.exists():
        lines = MEMINFO.read_text(encoding="utf-8").splitlines()
        kib = {line.split(":")[0]: int(line.split()[1]) for line in lines if ":" in line}
        return MachineMemory(kib["MemTotal"] * 1024, kib.get("MemAvailable", kib["MemFree"]) * 1024)
    total = run_command("sysctl", "-n", "hw.memsize")
    return MachineMemory(int(total), int(total)) if total and total.strip().isdigit() else None


def nvidia_gpus() -> list[str]:
    """The names that the driver's own tool lists; none without it."""
    if not shutil.which("nvidia-smi"):
        return []
    names = run_command("nvidia-smi", "--query-gpu=name", "--format=csv,noheader") or ""
    return [name.strip() for name in names.splitlines() if name.strip()]


def engine_offloads() -> bool | None:
    """Tells whether the engine was compiled for a GPU; None if it does not start. Runs its own process."""
    output = run_command(sys.executable, "-m", "core.model.worker.prepare", "--probe", deadline_s=PROBE_DEADLINE_S)
    try:
        probe: Any = json.loads((output or "").strip().rpartition("\n")[2])
        return bool(probe["gpu_offload"])
    except (ValueError, KeyError, TypeError):
        return None


def run_command(*command: str, deadline_s: float = COMMAND_DEADLINE_S) -> str | None:
    """Returns the output of `command`; None if it fails or exceeds its deadline."""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=deadline_s, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
