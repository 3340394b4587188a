"""The processor: its instruction sets, its cores, and the threads that inference should use."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Collection
from pathlib import Path

from core.model.hardware.cgroups import ControlGroups, read_text
from core.model.hardware.commands import run_command

CPUINFO = Path("/proc/cpuinfo")
CPUS = Path("/sys/devices/system/cpu")
# The instruction sets for which llama.cpp has fast kernels, by the kernel's names for them.
KNOWN_FEATURES = {
    "avx2": "AVX2",
    "avx512f": "AVX-512",
    "avx512_vnni": "AVX-512 VNNI",
    "avx512_bf16": "AVX-512 BF16",
    "avx_vnni": "AVX-VNNI",
    "amx_int8": "AMX",
    "asimd": "NEON",
    "asimddp": "NEON dot product",
    "i8mm": "NEON i8mm",
    "sve": "SVE",
}
# A core counts as slow below this share of the fastest one. Intel's efficient cores have 0.74 to 0.81 of the
# performance cores' highest frequency, and favoured cores of one kind differ by 0.05.
FREQUENCY_SHARE = 0.87
# The kernel's own measure on ARM, which also counts the width of a core: little cores have 0.25 to 0.55.
CAPACITY_SHARE = 0.6


def cpu_flags(cpuinfo: str) -> tuple[str, ...]:
    """The instruction sets of the first CPU in /proc/cpuinfo, sorted: "flags" on x86, "Features" on ARM."""
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("flags", "Features"):
            return tuple(sorted(value.split()))
    return ()


def parse_cpu_features(cpuinfo: str) -> list[str]:
    """Returns the KNOWN_FEATURES of the first CPU in the text of /proc/cpuinfo."""
    flags = cpu_flags(cpuinfo)
    return [name for flag, name in KNOWN_FEATURES.items() if flag in flags]


def cpu_features() -> list[str]:
    if CPUINFO.exists():
        return parse_cpu_features(CPUINFO.read_text(encoding="utf-8", errors="replace"))
    if platform.machine() == "arm64":
        return ["NEON"]  # every 64-bit ARM has it
    return ["AVX2"] if "AVX2" in (run_command("sysctl", "-n", "machdep.cpu.leaf7_features") or "").split() else []


def processor_name(cpuinfo: Path = CPUINFO) -> str:
    """Returns the name in /proc/cpuinfo, or the architecture."""
    for line in (read_text(cpuinfo) or "").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.processor() or platform.machine()


def allowed_cpus() -> set[int]:
    """Returns the logical processors that this process may use."""
    return set(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))


def physical_cores(topology: Path = CPUS) -> int:
    """Counts the physical cores that this process may use, or the logical ones where Linux hides the topology.

    Two hyper-threads share one core's matrix units, so a second thread per core gains nothing.
    """
    return count_cores(allowed_cpus(), topology)


def fast_cores(topology: Path = CPUS) -> int:
    """Counts the allowed physical cores of the fastest kind: each step waits for its slowest thread."""
    if sys.platform == "darwin":
        performance = (run_command("sysctl", "-n", "hw.perflevel0.physicalcpu") or "").strip()
        return int(performance) if performance.isdigit() and int(performance) else physical_cores(topology)
    return count_cores(fast_cpus(allowed_cpus(), topology), topology)


def choose_threads(topology: Path = CPUS, groups: ControlGroups | None = None) -> int:
    """Returns the threads for inference: the fast physical cores, within the control groups' quota.

    A thread above the quota is stopped for the rest of each period, and all others wait for it.
    """
    quota = (groups or ControlGroups()).cpu_quota()
    cores = fast_cores(topology)
    return max(min(cores, int(quota)), 1) if quota else cores


def count_cores(cpus: Collection[int], topology: Path) -> int:
    siblings = {read_text(topology / f"cpu{cpu}" / "topology" / "thread_siblings_list") or str(cpu) for cpu in cpus}
    return max(len(siblings), 1)


def fast_cpus(cpus: Collection[int], topology: Path) -> Collection[int]:
    """Returns those of `cpus` that are about as fast as the fastest; all where Linux tells no difference."""
    for file, share in (("cpu_capacity", CAPACITY_SHARE), ("cpufreq/cpuinfo_max_freq", FREQUENCY_SHARE)):
        speeds = {cpu: read_speed(topology / f"cpu{cpu}" / file) for cpu in cpus}
        fastest = max(speeds.values(), default=0)
        if min(speeds.values(), default=0) and fastest:
            return [cpu for cpu, speed in speeds.items() if speed >= share * fastest]
    return cpus


def read_speed(file: Path) -> int:
    content = read_text(file)
    return int(content) if content and content.isdigit() else 0
