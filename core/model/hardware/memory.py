"""The memory that this process may use: the machine's, within the limits of its control groups."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.model.hardware.cgroups import ControlGroups
from core.model.hardware.commands import run_command

MEMINFO = Path("/proc/meminfo")


@dataclass(frozen=True, slots=True)
class MachineMemory:
    """`limit_bytes`: the control groups' smallest limit below `total_bytes`; None without one."""

    total_bytes: int
    available_bytes: int
    limit_bytes: int | None = None

    @property
    def usable_bytes(self) -> int:
        """The most that this process could ever have."""
        return min(self.total_bytes, self.limit_bytes or self.total_bytes)


def read_memory(meminfo: Path = MEMINFO, groups: ControlGroups | None = None) -> MachineMemory | None:
    """Returns None if the system does not tell."""
    machine = read_meminfo(meminfo) if meminfo.exists() else read_sysctl()
    if machine is None:
        return None
    total, available = machine
    limits = [group for group in (groups or ControlGroups()).memory() if group.limit_bytes < total]
    return MachineMemory(
        total,
        min([available, *(group.free_bytes for group in limits)]),
        min((group.limit_bytes for group in limits), default=None),
    )


def read_meminfo(meminfo: Path) -> tuple[int, int] | None:
    """Returns the total and the available bytes of Linux."""
    values = {}
    for line in meminfo.read_text(encoding="utf-8", errors="replace").splitlines():
        name, _, value = line.partition(":")
        if value.split()[:1] and value.split()[0].isdigit():
            values[name] = int(value.split()[0]) * 1024
    if "MemTotal" not in values:
        return None
    return values["MemTotal"], values.get("MemAvailable", values.get("MemFree", values["MemTotal"]))


def read_sysctl() -> tuple[int, int] | None:
    """Returns the total and the available bytes of macOS, where inactive pages are given up first."""
    total = (run_command("sysctl", "-n", "hw.memsize") or "").strip()
    if not total.isdigit():
        return None
    return int(total), min(free_pages_bytes(run_command("vm_stat") or "") or int(total), int(total))


def free_pages_bytes(vm_stat: str) -> int:
    """Sums the free, inactive and speculative pages in the output of `vm_stat`; 0 if it has none."""
    page_bytes, pages = 4096, 0
    for line in vm_stat.splitlines():
        name, _, value = line.partition(":")
        if "page size of" in line:
            page_bytes = int(line.split("page size of")[1].split()[0])
        elif name in ("Pages free", "Pages inactive", "Pages speculative"):
            pages += int(value.strip().rstrip("."))
    return pages * page_bytes
