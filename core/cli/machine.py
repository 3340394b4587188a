"""Facts about the machine, for `doctor`: what it is and has. Judges nothing."""

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
# The instruction sets for which llama.cpp has fast kernels, by the names that the kernel gives them.
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
ASK_DEADLINE_S = 10.0
PROBE_DEADLINE_S = 60.0  # a GPU's driver may take its time


@dataclass(frozen=True)
class Memory:
    total_bytes: int
    available_bytes: int


def cpu_features(cpuinfo: str) -> list[str]:
    """Of the first CPU in /proc/cpuinfo's text, those in KNOWN_FEATURES."""
    present = cpu_flags(cpuinfo)
    return [shown for flag, shown in KNOWN_FEATURES.items() if flag in present]


def features() -> list[str]:
    if CPUINFO.exists():
        return cpu_features(CPUINFO.read_text(encoding="utf-8", errors="replace"))
    if platform.machine() == "arm64":
        return ["NEON"]  # every 64-bit ARM has it
    return ["AVX2"] if "AVX2" in (asked("sysctl", "-n", "machdep.cpu.leaf7_features") or "").split() else []


def memory() -> Memory | None:
    """None where the system does not tell."""
    if MEMINFO.exists():
        lines = MEMINFO.read_text(encoding="utf-8").splitlines()
        kib = {line.split(":")[0]: int(line.split()[1]) for line in lines if ":" in line}
        return Memory(kib["MemTotal"] * 1024, kib.get("MemAvailable", kib["MemFree"]) * 1024)
    total = asked("sysctl", "-n", "hw.memsize")
    return Memory(int(total), int(total)) if total and total.strip().isdigit() else None


def nvidia_gpus() -> list[str]:
    """Names, as the driver's own tool lists them; none without it."""
    if not shutil.which("nvidia-smi"):
        return []
    names = asked("nvidia-smi", "--query-gpu=name", "--format=csv,noheader") or ""
    return [name.strip() for name in names.splitlines() if name.strip()]


def offloads() -> bool | None:
    """Whether the engine was compiled for a GPU. Asked in a process of its own; None if the engine does not start."""
    answer = asked(sys.executable, "-m", "core.model.prepare", "--probe", deadline_s=PROBE_DEADLINE_S)
    try:
        said: Any = json.loads((answer or "").strip().rpartition("\n")[2])
        return bool(said["gpu_offload"])
    except (ValueError, KeyError, TypeError):
        return None


def asked(*command: str, deadline_s: float = ASK_DEADLINE_S) -> str | None:
    """What `command` prints; None if it fails."""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=deadline_s, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
