"""The machine that models run on: cores, memory, GPUs and bandwidth. Judges nothing, and knows no model.

The memory bandwidth is measured at most every ten minutes and kept in the data folder. The best value of the same
machine counts: a busy moment, such as the first start, halves a measurement. A value that no such machine has is
not kept.
"""

from __future__ import annotations

import hashlib
import json
import math
import platform
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from core.model.hardware.bandwidth import measure_bandwidth
from core.model.hardware.cgroups import ControlGroups
from core.model.hardware.engine_build import engine_backends
from core.model.hardware.gpus import Gpu, GpuKind, find_gpus
from core.model.hardware.memory import MachineMemory, read_memory
from core.model.hardware.processor import choose_threads, cpu_features, processor_name
from core.runtime.atomic_files import write_atomically

FILE = "machine.json"
FRESH_S = 600.0
# One channel of DDR3-1333, the slowest memory that these processors have, reads about 8 GB a second.
LEAST_BANDWIDTH = 8e9
FEATURES_OF_LEAST = frozenset({"AVX2", "NEON dot product"})


@dataclass(frozen=True, slots=True)
class Machine:
    """`cores`: the threads that inference should use. Memory counts within the limits of control groups.

    `bandwidth_bytes_per_s`: how fast these cores together read memory, within the control groups' quota; 0 if it could
    not be measured.
    """

    cores: int
    memory_total_bytes: int
    memory_available_bytes: int
    gpus: tuple[Gpu, ...] = ()
    bandwidth_bytes_per_s: float = 0.0
    processor: str = ""
    features: tuple[str, ...] = ()
    engine_backends: frozenset[GpuKind] = frozenset()

    @property
    def usable_gpus(self) -> tuple[Gpu, ...]:
        """The GPUs that the installed engine can use: by their own back end, or by Vulkan."""
        return tuple(gpu for gpu in self.gpus if {gpu.kind, "vulkan"} & self.engine_backends)

    @property
    def key(self) -> str:
        """Identifies the machine: measured values hold for this one only."""
        parts = [self.processor, *self.features, str(self.cores), str(self.memory_total_bytes >> 28)]
        parts += [f"{gpu.name} {gpu.kind} {gpu.total_bytes >> 28}" for gpu in self.gpus]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def inspect_machine(data_folder: Path | None = None, environ: Mapping[str, str] | None = None) -> Machine:
    """Reads the facts, and measures the bandwidth unless `data_folder` has a fresh value. Blocks for up to seconds.

    Without a data folder nothing is measured.
    """
    memory = read_memory() or MachineMemory(0, 0)
    machine = Machine(
        cores=choose_threads(),
        memory_total_bytes=memory.usable_bytes,
        memory_available_bytes=memory.available_bytes,
        gpus=find_gpus(environ, memory_bytes=memory.usable_bytes),
        processor=processor_name() or platform.machine(),
        features=tuple(cpu_features()),
        engine_backends=engine_backends(),
    )
    if data_folder is None:
        return machine
    quota = min(ControlGroups().cpu_quota() or 1.0, 1.0)  # below one core, each period ends with a pause
    return replace(machine, bandwidth_bytes_per_s=quota * recall_bandwidth(machine, data_folder / FILE))


def recall_bandwidth(machine: Machine, file: Path) -> float:
    """Returns the best value that was measured on this machine, after another measurement if the last one is old."""
    least = LEAST_BANDWIDTH if FEATURES_OF_LEAST & set(machine.features) else 0.0
    measured_at, best = read_bandwidth(file, machine.key)
    if 0 <= time.time() - measured_at < FRESH_S and best > least:
        return best
    best = max(best, measure_bandwidth(machine.cores, machine.memory_available_bytes))
    if best > least:
        content = {"machine": machine.key, "measured_at": time.time(), "bandwidth_bytes_per_s": best}
        with suppress(OSError):  # a full or read-only disk: it is measured again next time
            write_atomically(file, json.dumps(content).encode())
    return max(best, least)


def read_bandwidth(file: Path, key: str) -> tuple[float, float]:
    """Returns when the bandwidth of the machine `key` was measured, and its best value; zeros if it never was."""
    try:
        content = json.loads(file.read_bytes())
        if content["machine"] != key:
            return 0.0, 0.0
        measured_at, best = float(content["measured_at"]), float(content["bandwidth_bytes_per_s"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0.0, 0.0
    return (measured_at, best) if math.isfinite(measured_at) and 0 < best < math.inf else (0.0, 0.0)
