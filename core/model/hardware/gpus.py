"""The GPUs of this machine, from the drivers' own tools and files. Knows no engine: `core.install` compiles it.

NVIDIA: `nvidia-smi`, or /proc/driver/nvidia. AMD: the kernel's /sys/class/drm and /sys/class/kfd. Apple: `sysctl`.
Any other: `vulkaninfo`, which also lists processors that imitate a GPU; these are left out.
"""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from core.model.hardware.cgroups import read_number, read_text
from core.model.hardware.commands import run_command

GpuKind = Literal["cuda", "rocm", "vulkan", "metal"]

MIB = 1 << 20
DRIVER_DEADLINE_S = 30.0  # a GPU's driver may take long to start
AMD_VENDOR = "0x1002"
DEDICATED_BYTES = 8 << 30  # of a machine's memory: firmware gives an integrated GPU so much only on purpose
METAL_SHARE = 0.67  # of an Apple machine's memory: the default of iogpu.wired_limit_mb is at least this
MIG_MODES = ("Enabled", "Disabled", "[N/A]")
UNIFIED_MEMORY = ("[N/A]", "[Not Supported]")
UNIFIED_TYPES = ("INTEGRATED_GPU", "VIRTUAL_GPU")


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU. `kind` is the back end that serves it best. 0 bytes: the driver does not tell.

    `unified`: its memory is the machine's own. `target`: AMD's name of its instruction set, such as "gfx1100".
    """

    name: str
    kind: GpuKind
    total_bytes: int = 0
    free_bytes: int = 0
    unified: bool = False
    target: str = ""


@dataclass(frozen=True, slots=True)
class DriverPaths:
    """The folders in which drivers describe their GPUs."""

    nvidia: Path = Path("/proc/driver/nvidia/gpus")
    drm: Path = Path("/sys/class/drm")
    kfd: Path = Path("/sys/class/kfd/kfd/topology/nodes")


def find_gpus(
    environ: Mapping[str, str] | None = None, paths: DriverPaths | None = None, memory_bytes: int = 0
) -> tuple[Gpu, ...]:
    """Returns the GPUs. `memory_bytes`: the machine's memory, which some GPUs share."""
    variables, paths = os.environ if environ is None else environ, paths or DriverPaths()
    native = (*nvidia_gpus(variables, paths.nvidia, memory_bytes), *amd_gpus(variables, paths))
    return native or apple_gpus(variables, memory_bytes) or vulkan_gpus(variables)


# ---------------------------------------------------------------- NVIDIA


def nvidia_gpus(environ: Mapping[str, str], proc: Path, memory_bytes: int = 0) -> tuple[Gpu, ...]:
    """Returns the GPUs that CUDA_VISIBLE_DEVICES leaves visible, by the driver's own tool or, without it, by /proc."""
    query = ("--query-gpu=index,uuid,mig.mode.current,name,memory.total,memory.free", "--format=csv,noheader,nounits")
    listed = run_command("nvidia-smi", *query, environ=environ, deadline_s=DRIVER_DEADLINE_S) or ""
    visible = visible_names(environ.get("CUDA_VISIBLE_DEVICES"))
    if rows := [row for line in listed.splitlines() if (row := split_row(line))]:
        return tuple(parse_nvidia(row, memory_bytes) for row in rows if is_visible(row, visible))
    try:
        return tuple(Gpu(read_gpu_model(file), "cuda") for file in sorted(proc.glob("*/information")) if visible != [])
    except OSError:
        return ()


def split_row(line: str) -> list[str] | None:
    """Returns index, UUID, MIG mode, name, total and free MiB; None for a line that is an error's."""
    cells = [cell.strip() for cell in line.split(",")]
    if len(cells) < 5 or not cells[0].isdigit():
        return None
    if cells[2] not in MIG_MODES:  # a driver's tool that knows no MIG
        cells.insert(2, "[N/A]")
    return [*cells[:3], ", ".join(cells[3:-2]), *cells[-2:]]


def visible_names(variable: str | None) -> list[str] | None:
    """Returns the indices and the beginnings of UUIDs in CUDA_VISIBLE_DEVICES; None: all GPUs are visible."""
    if variable is None:
        return None
    names = [name.strip() for name in variable.split(",") if name.strip()]
    return names[: names.index("-1")] if "-1" in names else names  # CUDA ignores all after an invalid one


def is_visible(row: list[str], visible: list[str] | None) -> bool:
    """Tells whether CUDA shows a GPU, or a part of it: the UUID of an instance (MIG) need not have that of its GPU."""
    if visible is None:
        return True
    index, uuid, mig_mode = row[:3]
    instance = mig_mode == "Enabled" and any(name.startswith("MIG-") for name in visible)
    return instance or any(name == index or (name.startswith("GPU-") and uuid.startswith(name)) for name in visible)


def parse_nvidia(row: list[str], memory_bytes: int) -> Gpu:
    """Parses what `split_row` returns. A GPU without memory of its own writes "[N/A]".

    The memory of a GPU that is divided into instances (MIG) is unknown: a program gets one of them.
    """
    mig_mode, name, *cells = row[2:]
    if mig_mode == "Enabled":
        return Gpu(name, "cuda")
    if all(cell.isdigit() for cell in cells):
        total, free = (int(cell) * MIB for cell in cells)
        return Gpu(name, "cuda", total, free)
    if cells[0] in UNIFIED_MEMORY:
        return Gpu(name, "cuda", memory_bytes, memory_bytes, unified=True)
    return Gpu(name, "cuda")  # the driver refuses to tell, as in some containers


def read_gpu_model(information: Path) -> str:
    for line in (read_text(information) or "").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "Model" and value.strip():
            return value.strip()
    return "an NVIDIA GPU"


# ---------------------------------------------------------------- AMD


def amd_gpus(environ: Mapping[str, str], paths: DriverPaths) -> tuple[Gpu, ...]:
    """Returns the GPUs of the amdgpu driver. The instruction sets come from the compute driver (kfd) or `rocminfo`."""
    found = []
    for card in sorted(paths.drm.glob("card[0-9]*/device")):
        total = read_number(card / "mem_info_vram_total")
        if read_text(card / "vendor") == AMD_VENDOR and total:
            free = max(total - (read_number(card / "mem_info_vram_used") or 0), 0)
            found.append((read_text(card / "product_name") or "", total, free))
    if not found:
        return ()
    nodes = compute_nodes(paths.kfd) or [ComputeNode(target) for target in rocminfo_targets(environ)]
    gpus = []
    for (name, total, free), node in zip(found, [*nodes, *[ComputeNode()] * len(found)], strict=False):
        unified = node.integrated and total < DEDICATED_BYTES
        gpus.append(Gpu(name or f"AMD GPU {node.target}".strip(), "rocm", total, free, unified, node.target))
    return tuple(gpus)


@dataclass(frozen=True, slots=True)
class ComputeNode:
    """A GPU of AMD's compute driver. `integrated`: it is part of a processor."""

    target: str = ""
    integrated: bool = False


def compute_nodes(kfd: Path) -> list[ComputeNode]:
    """Returns the GPUs among the compute nodes. Version 110001 is gfx1101, and 90010 is gfx90a."""
    nodes = []
    for node in sorted(kfd.glob("[0-9]*"), key=lambda folder: int(folder.name)):
        values = dict(line.split(" ", 1) for line in (read_text(node / "properties") or "").splitlines() if " " in line)
        version = values.get("gfx_target_version", "0").strip()
        if version.isdigit() and int(version):  # 0: the node is only a processor
            number = int(version)
            target = f"gfx{number // 10_000}{number // 100 % 100:x}{number % 100:x}"
            nodes.append(ComputeNode(target, values.get("cpu_cores_count", "0").strip() != "0"))
    return nodes


def rocminfo_targets(environ: Mapping[str, str]) -> list[str]:
    output = run_command("rocminfo", environ=environ, deadline_s=DRIVER_DEADLINE_S) or ""
    return re.findall(r"^\s*Name:\s+(gfx[0-9a-f]+)\s*$", output, re.MULTILINE)


# ---------------------------------------------------------------- Apple, Vulkan


def apple_gpus(environ: Mapping[str, str], memory_bytes: int) -> tuple[Gpu, ...]:
    """Returns the GPU of Apple silicon, which may use a part of the machine's memory."""
    if platform.system() != "Darwin" or platform.machine() != "arm64":
        return ()
    name = (run_command("sysctl", "-n", "machdep.cpu.brand_string", environ=environ) or "Apple silicon").strip()
    limit = (run_command("sysctl", "-n", "iogpu.wired_limit_mb", environ=environ) or "").strip()
    usable = int(limit) * MIB if limit.isdigit() and int(limit) else int(memory_bytes * METAL_SHARE)
    return (Gpu(name, "metal", usable, usable, unified=True),)


def vulkan_gpus(environ: Mapping[str, str]) -> tuple[Gpu, ...]:
    """Returns the devices that `vulkaninfo` lists, without those that a processor imitates (llvmpipe)."""
    output = run_command("vulkaninfo", environ=environ, deadline_s=DRIVER_DEADLINE_S)
    if output is None:
        output = run_command("vulkaninfo", "--summary", environ=environ, deadline_s=DRIVER_DEADLINE_S) or ""
    devices = re.split(r"(?=^\s*apiVersion\s*=)", output, flags=re.MULTILINE)[1:]
    found = (parse_vulkan(device) for device in devices)
    return tuple({gpu.name: gpu for gpu in found if gpu}.values())  # two drivers may list one device


def parse_vulkan(device: str) -> Gpu | None:
    """Parses one device of `vulkaninfo`; None for a processor."""
    values = dict(re.findall(r"^\s*(deviceType|deviceName|driverName)\s*=\s*(.+?)\s*$", device, re.MULTILINE))
    kind, name = values.get("deviceType", ""), values.get("deviceName", "a Vulkan device")
    if not kind or kind.endswith("_CPU") or "llvmpipe" in name or "llvmpipe" in values.get("driverName", ""):
        return None
    total, free = vulkan_memory(device)
    return Gpu(name, "vulkan", total, free, unified=kind.endswith(UNIFIED_TYPES))


def vulkan_memory(device: str) -> tuple[int, int]:
    """Returns the bytes of the largest heap on the device, and those of it that are free; 0 in a summary."""
    heaps = []
    for heap in re.split(r"memoryHeaps\[\d+\]:", device)[1:]:
        size = re.search(r"\bsize\s*=\s*(\d+)", heap)
        budget = re.search(r"\bbudget\s*=\s*(\d+)", heap)
        usage = re.search(r"\busage\s*=\s*(\d+)", heap)
        if size and "DEVICE_LOCAL_BIT" in heap.split("memoryTypes")[0]:
            used = int(usage[1]) if usage else 0
            left = int(budget[1]) - used if budget and int(budget[1]) else int(size[1]) - used
            heaps.append((int(size[1]), max(left, 0)))
    return max(heaps, default=(0, 0))
