"""The GPUs that drivers' tools and files describe. Every tool and file is a stand-in."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

import pytest

from core.model.hardware import gpus
from core.model.hardware.commands import run_command
from core.model.hardware.gpus import DriverPaths, Gpu, find_gpus
from tests.core.model.hardware.support_machine import FakeTools, write

GIB = 1 << 30
TWO_NVIDIA = (
    "0, GPU-aa, NVIDIA L4, 23034, 22500\n"
    "1, GPU-bb, NVIDIA H100 80GB HBM3, 81559, 81008\n"
)  # fmt: skip
VULKAN = """
GPU0:
VkPhysicalDeviceProperties:
    apiVersion        = 1.3.274 (4206866)
    deviceType        = PHYSICAL_DEVICE_TYPE_{kind}
    deviceName        = {name}
    driverName        = Mesa
VkPhysicalDeviceMemoryProperties:
memoryHeaps: count = 2
	memoryHeaps[0]:
		size   = 8589934592 (0x200000000) (8.00 GiB)
		budget = 7516192768 (0x1c0000000) (7.00 GiB)
		usage  = 1073741824 (0x40000000) (1.00 GiB)
		flags: count = 1
			MEMORY_HEAP_DEVICE_LOCAL_BIT
	memoryHeaps[1]:
		size   = 34359738368 (0x800000000) (32.00 GiB)
		budget = 34359738368
		usage  = 0
		flags:
			None
memoryTypes: count = 1
	memoryTypes[0]:
		heapIndex     = 1
		propertyFlags = 0x0001: MEMORY_PROPERTY_DEVICE_LOCAL_BIT
"""


@pytest.fixture
def tools(tmp_path: Path) -> FakeTools:
    return FakeTools(tmp_path / "tools")


def find(tools: FakeTools, folder: Path, **variables: str) -> tuple[Gpu, ...]:
    paths = DriverPaths(folder / "nvidia", folder / "drm", folder / "kfd")
    return find_gpus({**tools.environ, **variables}, paths, memory_bytes=64 * GIB)


def test_nothing_is_found_without_drivers(tools: FakeTools, tmp_path: Path) -> None:
    """A tool that finds no device fails, and nothing is shown."""
    assert () == find(tools, tmp_path)
    tools.add("nvidia-smi", "No devices were found\n", status=6)
    tools.add("vulkaninfo", "ERROR: no ICD\n", status=1)
    assert () == find(tools, tmp_path)


def test_nvidia_gpus_have_their_memory(tools: FakeTools, tmp_path: Path) -> None:
    """The driver's tool lists all, in MiB."""
    tools.add("nvidia-smi", TWO_NVIDIA)

    small, large = find(tools, tmp_path)

    assert Gpu("NVIDIA L4", "cuda", 23034 << 20, 22500 << 20) == small
    assert ("NVIDIA H100 80GB HBM3", 81559 << 20) == (large.name, large.total_bytes)


@pytest.mark.parametrize(
    ("variable", "names"),
    [
        ("1", ["NVIDIA H100 80GB HBM3"]),
        ("GPU-a", ["NVIDIA L4"]),
        ("0,-1,1", ["NVIDIA L4"]),
        ("1,0", ["NVIDIA L4", "NVIDIA H100 80GB HBM3"]),
    ],
)
def test_hidden_gpus_are_left_out(tools: FakeTools, tmp_path: Path, variable: str, names: list[str]) -> None:
    """CUDA_VISIBLE_DEVICES hides GPUs from programs, but not from the driver's tool."""
    tools.add("nvidia-smi", TWO_NVIDIA)
    assert names == [gpu.name for gpu in find(tools, tmp_path, CUDA_VISIBLE_DEVICES=variable)]


def test_all_gpus_may_be_hidden(tools: FakeTools, tmp_path: Path) -> None:
    """An empty variable, or -1, hides all of them."""
    tools.add("nvidia-smi", TWO_NVIDIA)
    assert () == find(tools, tmp_path, CUDA_VISIBLE_DEVICES="")
    assert () == find(tools, tmp_path, CUDA_VISIBLE_DEVICES="-1")


@pytest.mark.parametrize(
    "line",
    [
        "No devices were found",
        "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.",
        "Failed to initialize NVML: Driver/library version mismatch\nNVML library version: 550.1",
    ],
)
def test_an_error_is_no_gpu(tools: FakeTools, tmp_path: Path, line: str) -> None:
    """Some drivers' tools print their errors where the list belongs, and report success."""
    tools.add("nvidia-smi", line + "\n")
    assert () == find(tools, tmp_path)
    tools.add("nvidia-smi", TWO_NVIDIA + "Unable to determine the device handle for GPU 0000:02:00.0: GPU is lost\n")
    assert 2 == len(find(tools, tmp_path))


def test_the_memory_of_a_divided_gpu_is_unknown(tools: FakeTools, tmp_path: Path) -> None:
    """A program gets one instance (MIG), whose UUID is not in the list of GPUs."""
    tools.add("nvidia-smi", "0, GPU-aa, Enabled, NVIDIA A100-SXM4-80GB, 81920, 81000\n")
    for variables in ({}, {"CUDA_VISIBLE_DEVICES": "MIG-7f2c"}):
        assert (Gpu("NVIDIA A100-SXM4-80GB", "cuda"),) == find(tools, tmp_path, **variables)


def test_the_driver_may_refuse_to_tell_the_memory(tools: FakeTools, tmp_path: Path) -> None:
    """Such a GPU has memory of its own all the same. Commas belong to its name."""
    tools.add("nvidia-smi", "0, GPU-aa, Disabled, NVIDIA A100, PCIe, [Insufficient Permissions], [Unknown Error]\n")
    assert (Gpu("NVIDIA A100, PCIe", "cuda"),) == find(tools, tmp_path)


def test_a_gpu_without_memory_of_its_own_shares_the_machines(tools: FakeTools, tmp_path: Path) -> None:
    """Jetson and Grace boards have one memory for both."""
    tools.add("nvidia-smi", "0, GPU-aa, NVIDIA GB10, [N/A], [N/A]\n")
    assert (Gpu("NVIDIA GB10", "cuda", 64 * GIB, 64 * GIB, unified=True),) == find(tools, tmp_path)


def test_the_driver_names_its_gpus_without_its_tool(tools: FakeTools, tmp_path: Path) -> None:
    """Containers often lack `nvidia-smi`. The memory is unknown then."""
    write(tmp_path / "nvidia" / "0000:01:00.0" / "information", "Model: \t\t NVIDIA A10\nIRQ: 1\n")
    write(tmp_path / "nvidia" / "0000:02:00.0" / "information", "IRQ: 2\n")
    assert ["NVIDIA A10", "an NVIDIA GPU"] == [gpu.name for gpu in find(tools, tmp_path)]


def card(folder: Path, number: int, name: str, total: int, used: int, vendor: str = "0x1002") -> None:
    device = folder / "drm" / f"card{number}" / "device"
    write(device / "vendor", f"{vendor}\n")
    write(device / "product_name", f"{name}\n")
    write(device / "mem_info_vram_total", f"{total}\n")
    write(device / "mem_info_vram_used", f"{used}\n")


def test_amd_gpus_have_memory_and_target(tools: FakeTools, tmp_path: Path) -> None:
    """The kernel's files suffice: the target decides what the engine is compiled for."""
    card(tmp_path, 0, "AMD Instinct MI210", 64 * GIB, GIB)
    card(tmp_path, 1, "", 16 * GIB, 0)
    card(tmp_path, 2, "Arc", 8 * GIB, 0, vendor="0x8086")
    for node, version in ((0, 0), (1, 90010), (2, 110001)):
        write(tmp_path / "kfd" / str(node) / "properties", f"simd_count 4\ngfx_target_version {version}\n")

    assert (
        Gpu("AMD Instinct MI210", "rocm", 64 * GIB, 63 * GIB, target="gfx90a"),
        Gpu("AMD GPU gfx1101", "rocm", 16 * GIB, 16 * GIB, target="gfx1101"),
    ) == find(tools, tmp_path)


@pytest.mark.parametrize(("total", "unified"), [(GIB // 2, True), (64 * GIB, False)])
def test_a_small_integrated_amd_gpu_shares_the_machines_memory(
    tools: FakeTools, tmp_path: Path, total: int, unified: bool
) -> None:
    """Its compute node has processors too. A large part of the memory is given to it on purpose."""
    card(tmp_path, 0, "", total, 0)
    write(tmp_path / "kfd" / "1" / "properties", "cpu_cores_count 16\nsimd_count 4\ngfx_target_version 100306\n")
    assert [unified] == [gpu.unified for gpu in find(tools, tmp_path)]


def test_rocminfo_tells_the_target_without_the_compute_driver(tools: FakeTools, tmp_path: Path) -> None:
    """Its agents are the processor and the GPUs."""
    card(tmp_path, 0, "", 16 * GIB, 0)
    tools.add("rocminfo", "Agent 1\n  Name:   AMD EPYC\nAgent 2\n  Name:    gfx1100\n  Name: amdgcn-amd--gfx1100\n")
    assert ["gfx1100"] == [gpu.target for gpu in find(tools, tmp_path)]


def test_vulkan_devices(tools: FakeTools, tmp_path: Path) -> None:
    """The memory is that of the heap on the device; an integrated one shares the machine's."""
    tools.add("vulkaninfo", VULKAN.format(kind="DISCRETE_GPU", name="Intel Arc A770"))
    assert (Gpu("Intel Arc A770", "vulkan", 8 * GIB, 6 * GIB),) == find(tools, tmp_path)
    tools.add("vulkaninfo", VULKAN.format(kind="INTEGRATED_GPU", name="Intel Iris Xe") * 2)
    assert [True] == [gpu.unified for gpu in find(tools, tmp_path)]


@pytest.mark.parametrize(("kind", "name"), [("CPU", "llvmpipe (LLVM 17)"), ("OTHER", "llvmpipe (LLVM 17, 256 bits)")])
def test_a_processor_that_imitates_a_gpu_is_none(tools: FakeTools, tmp_path: Path, kind: str, name: str) -> None:
    """Mesa's llvmpipe would be slower than the processor itself."""
    tools.add("vulkaninfo", VULKAN.format(kind=kind, name=name))
    assert () == find(tools, tmp_path)


def test_apple_silicon(tools: FakeTools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its GPU may use a part of the memory, unless the operator set the limit."""
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    outputs = {"machdep.cpu.brand_string": "Apple M4\n", "iogpu.wired_limit_mb": "0\n"}
    monkeypatch.setattr(gpus, "run_command", lambda *words, **_: outputs.get(words[-1]))
    (gpu,) = find(tools, tmp_path)
    assert ("Apple M4", "metal", int(64 * GIB * 0.67), True) == (gpu.name, gpu.kind, gpu.total_bytes, gpu.unified)
    outputs["iogpu.wired_limit_mb"] = "50000\n"
    assert [50_000 << 20] == [gpu.total_bytes for gpu in find(tools, tmp_path)]


def test_a_command_that_hangs_or_fails_has_no_output() -> None:
    """A hanging tool of a driver does not hang the caller."""
    assert "here\n" == run_command(sys.executable, "-c", "print('here')")
    assert run_command(sys.executable, "-c", "raise SystemExit(1)") is None
    assert run_command(sys.executable, "-c", "import time; time.sleep(60)", deadline_s=0.2) is None
    assert run_command("no-such-tool") is None
