"""The machine that measures, the versions of what is measured, and the load by others."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import llama_cpp
import xllamacpp

from core import PROJECT_ROOT
from core.model.hardware.memory import read_memory
from core.model.hardware.processor import choose_threads, cpu_features, physical_cores, processor_name

LOAD_SAMPLE_S = 0.5


@dataclass(frozen=True)
class Load:
    """The work of other processes just before a round, while our servers are idle."""

    average: float  # of the last minute; it contains the round before
    busy: float  # the share of all cores that was in use

    @classmethod
    def sample(cls) -> Load:
        before = cpu_ticks()
        time.sleep(LOAD_SAMPLE_S)
        idle, total = (after - earlier for after, earlier in zip(cpu_ticks(), before, strict=True))
        return cls(round(os.getloadavg()[0], 2), round(1 - idle / max(total, 1), 3))


def cpu_ticks() -> tuple[int, int]:
    """Returns the idle ticks and all ticks of the processor since the start of the machine."""
    ticks = [int(each) for each in Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()[1:9]]
    return ticks[3] + ticks[4], sum(ticks)


def describe_machine() -> dict[str, object]:
    memory = read_memory()
    return {
        "processor": processor_name(),
        "features": cpu_features(),
        "cores": physical_cores(),
        "threads": choose_threads(),
        "memory_gb": round(memory.usable_bytes / 1e9, 1) if memory else None,
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def describe_versions(baseline: Path | None = None) -> dict[str, str]:
    versions = {
        "csps-llm": git_description(PROJECT_ROOT),
        "llama-cpp-python": llama_cpp.__version__,
        "xllamacpp": xllamacpp.__version__,
    }
    return versions | ({"csps-llm before": git_description(baseline)} if baseline else {})


def git_description(folder: Path) -> str:
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() or "unknown"
