"""The memory that this process may use, within the limits of control groups of both versions."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.model.hardware import memory
from core.model.hardware.cgroups import ControlGroups, GroupMemory
from core.model.hardware.memory import MachineMemory, free_pages_bytes, read_memory
from tests.core.model.hardware.support_machine import write

GIB = 1 << 30
MEMINFO = (
    f"MemTotal: {8 * GIB >> 10} kB\nMemFree: {GIB >> 10} kB\nMemAvailable: {4 * GIB >> 10} kB\nHugePages_Total: 0\n"
)


def groups(folder: Path, membership: str) -> ControlGroups:
    return ControlGroups(folder / "cgroup", write(folder / "membership", membership))


def limit_v2(folder: Path, limit: str, used: int, cache: int = 0) -> None:
    write(folder / "memory.max", f"{limit}\n")
    write(folder / "memory.current", f"{used}\n")
    write(folder / "memory.stat", f"anon 1\ninactive_file {cache}\n")


def test_a_container_has_its_limit(tmp_path: Path) -> None:
    """A container often sees its own group as the root. Its file cache is given up first, so it is free."""
    limit_v2(tmp_path / "cgroup", str(2 * GIB), GIB, cache=GIB // 2)

    found = read_memory(write(tmp_path / "meminfo", MEMINFO), groups(tmp_path, "0::/\n"))

    assert MachineMemory(8 * GIB, 3 * GIB // 2, limit_bytes=2 * GIB) == found
    assert found is not None
    assert 2 * GIB == found.usable_bytes


def test_a_limit_of_any_group_above_counts(tmp_path: Path) -> None:
    """systemd limits a slice, and the service in it has no limit of its own."""
    limit_v2(tmp_path / "cgroup" / "app.slice", str(3 * GIB), GIB)
    limit_v2(tmp_path / "cgroup" / "app.slice" / "csps.service", "max", GIB)

    found = groups(tmp_path, "0::/app.slice/csps.service\n").memory()

    assert [GroupMemory(3 * GIB, GIB)] == found


def test_mapped_weights_are_free_memory(tmp_path: Path) -> None:
    """A model that was used often is in the active file cache, which the kernel gives up too."""
    limit_v2(tmp_path / "cgroup", str(8 * GIB), 7 * GIB, cache=GIB)
    write(tmp_path / "cgroup" / "memory.stat", f"anon {GIB}\ninactive_file {GIB}\nactive_file {5 * GIB}\n")

    assert [GroupMemory(8 * GIB, GIB)] == groups(tmp_path, "0::/\n").memory()


def test_the_limit_above_which_the_kernel_slows_down_counts(tmp_path: Path) -> None:
    """systemd's MemoryHigh= stops a service nearly as well as its MemoryMax=."""
    limit_v2(tmp_path / "cgroup", "max", GIB)
    write(tmp_path / "cgroup" / "memory.high", f"{2 * GIB}\n")

    assert [GroupMemory(2 * GIB, GIB)] == groups(tmp_path, "0::/\n").memory()


@pytest.mark.parametrize("membership", ["4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n", "4:memory:/\n0::/\n"])
def test_version_1_is_read(tmp_path: Path, membership: str) -> None:
    """Its files have other names, and "no limit" is a huge number. A container's path does not exist inside it."""
    folder = tmp_path / "cgroup" / "memory"
    write(folder / "memory.limit_in_bytes", f"{GIB}\n")
    write(folder / "memory.usage_in_bytes", f"{GIB // 2}\n")
    write(folder / "memory.stat", f"inactive_file 1\ntotal_inactive_file {GIB // 4}\n")

    assert [GroupMemory(GIB, GIB // 4)] == groups(tmp_path, membership).memory()
    write(folder / "memory.limit_in_bytes", "9223372036854771712\n")
    assert [] == groups(tmp_path, membership).memory()


@pytest.mark.parametrize(
    ("quota", "period", "cpus"), [("150000", "100000", 1.5), ("-1", "100000", None), ("100000", "0", None)]
)
def test_the_quota_of_version_1(tmp_path: Path, quota: str, period: str, cpus: float | None) -> None:
    """The controller may be mounted together with another one."""
    folder = tmp_path / "cgroup" / "cpu,cpuacct" / "docker" / "abc"
    write(folder / "cpu.cfs_quota_us", quota)
    write(folder / "cpu.cfs_period_us", period)

    assert cpus == groups(tmp_path, "3:cpu,cpuacct:/docker/abc\n").cpu_quota()


def test_a_used_up_group_has_no_memory_left(tmp_path: Path) -> None:
    """A group may be above a limit that was lowered."""
    limit_v2(tmp_path / "cgroup", str(GIB), 2 * GIB)
    found = read_memory(write(tmp_path / "meminfo", MEMINFO), groups(tmp_path, "0::/\n"))

    assert found is not None
    assert 0 == found.available_bytes


def test_without_limits_the_machine_counts(tmp_path: Path) -> None:
    """Also if a group's limit is above the machine's memory, and where there are no groups."""
    file = write(tmp_path / "meminfo", MEMINFO)
    assert MachineMemory(8 * GIB, 4 * GIB) == read_memory(file, groups(tmp_path, "0::/\n"))
    limit_v2(tmp_path / "cgroup", str(64 * GIB), 0)
    assert MachineMemory(8 * GIB, 4 * GIB) == read_memory(file, groups(tmp_path, "0::/\n"))
    assert MachineMemory(8 * GIB, 4 * GIB) == read_memory(file, ControlGroups(tmp_path, tmp_path / "nothing"))


def test_old_kernels_do_not_tell_the_available_memory(tmp_path: Path) -> None:
    """The free memory counts then. A file without a total tells nothing."""
    none = ControlGroups(tmp_path, tmp_path / "nothing")
    old = "\n".join(line for line in MEMINFO.splitlines() if "Available" not in line)
    assert MachineMemory(8 * GIB, GIB) == read_memory(write(tmp_path / "old", old), none)
    assert read_memory(write(tmp_path / "empty", "x\n"), none) is None


def test_macos_counts_inactive_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no /proc. Unknown output means that all memory counts."""
    pages = (
        "Mach Virtual Memory Statistics: (page size of 16384 bytes)\nPages free: 10.\nPages active: 9.\n"
        "Pages inactive: 20.\nPages speculative: 2.\n"
    )
    assert 32 * 16384 == free_pages_bytes(pages)
    outputs = {"sysctl": f"{GIB}\n", "vm_stat": pages}
    monkeypatch.setattr(memory, "run_command", lambda name, *_: outputs[name])
    assert MachineMemory(GIB, 32 * 16384) == read_memory(tmp_path / "none", ControlGroups(tmp_path, tmp_path))
    outputs["vm_stat"] = ""
    assert MachineMemory(GIB, GIB) == read_memory(tmp_path / "none", ControlGroups(tmp_path, tmp_path))
    outputs["sysctl"] = ""
    assert read_memory(tmp_path / "none", ControlGroups(tmp_path, tmp_path)) is None
