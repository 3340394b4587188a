"""The limits of this process's control groups: memory and CPU time. Containers and services are limited by them.

Both versions are read: https://docs.kernel.org/admin-guide/cgroup-v2.html and cgroup-v1/. A limit of any group from
the process's own up to the root counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

UNLIMITED_BYTES = 1 << 60  # version 1 writes a number near 2**63 for "no limit"


@dataclass(frozen=True, slots=True)
class GroupMemory:
    """One group's limit. `used_bytes` leaves out file caches, which the kernel gives up under pressure."""

    limit_bytes: int
    used_bytes: int

    @property
    def free_bytes(self) -> int:
        return max(self.limit_bytes - self.used_bytes, 0)


@dataclass(frozen=True, slots=True)
class ControlGroups:
    """Reads limits below `mount`, for the groups that `membership` (/proc/self/cgroup) names."""

    mount: Path = Path("/sys/fs/cgroup")
    membership: Path = Path("/proc/self/cgroup")

    def memory(self) -> list[GroupMemory]:
        """Returns every memory limit that applies; an empty list if there is none."""
        found = []
        for folder in self._folders("memory"):
            limit = read_limit(folder)
            used = read_number(folder / "memory.current") or read_number(folder / "memory.usage_in_bytes")
            if limit is not None and limit < UNLIMITED_BYTES:
                found.append(GroupMemory(limit, max((used or 0) - reclaimable_bytes(folder / "memory.stat"), 0)))
        return found

    def cpu_quota(self) -> float | None:
        """Returns the CPUs that the groups may use at the same time, such as 1.5; None without a quota."""
        return min((quota for folder in self._folders("cpu") if (quota := read_quota(folder))), default=None)

    def _folders(self, controller: str) -> Iterator[Path]:
        """Yields the existing folders of the process's groups, from its own to the root."""
        for top, group in self._groups(controller):
            below = [top.joinpath(*group.parts[1:end]) for end in range(len(group.parts), 0, -1)]
            # A container often sees its own group as the root: its path does not exist there.
            yield from (folder for folder in below if folder.is_dir())

    def _groups(self, controller: str) -> Iterator[tuple[Path, Path]]:
        """Yields (mounted root, path of the group) for the controller, in both versions."""
        try:
            lines = self.membership.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return
        for line in lines:
            number, _, rest = line.partition(":")
            names, _, path = rest.partition(":")
            if number == "0":  # version 2, also beside version 1
                yield from ((top, Path(path)) for top in (self.mount, self.mount / "unified"))
            elif controller in names.split(","):
                yield from ((self.mount / name, Path(path)) for name in dict.fromkeys((controller, names)))


def read_quota(folder: Path) -> float | None:
    """Returns the quota of one group in CPUs: `cpu.max` in version 2, two files in version 1."""
    quota, _, period = (read_text(folder / "cpu.max") or "").partition(" ")
    if not quota:
        quota = read_text(folder / "cpu.cfs_quota_us") or ""
        period = read_text(folder / "cpu.cfs_period_us") or ""
    if not quota.isdigit() or not period.isdigit() or not int(period):  # "max" and "-1" are no quota
        return None
    return int(quota) / int(period) or None


def read_limit(folder: Path) -> int | None:
    """Returns the smaller of a group's limits: above `memory.high` the kernel slows a group down to a standstill."""
    names = ("memory.max", "memory.high", "memory.limit_in_bytes")
    return min((limit for name in names if (limit := read_number(folder / name)) is not None), default=None)


def reclaimable_bytes(stat: Path) -> int:
    """Returns the file cache of a group, such as a model's mapped weights: it counts as used, but is given up first."""
    values = dict(line.split(" ", 1) for line in (read_text(stat) or "").splitlines() if " " in line)
    found = (values.get(f"total_{name}") or values.get(name) or "0" for name in ("inactive_file", "active_file"))
    return sum(int(each) for each in found if each.isdigit())


def read_number(file: Path) -> int | None:
    content = read_text(file)
    return int(content) if content and content.isdigit() else None


def read_text(file: Path) -> str | None:
    """Returns the stripped text of a small file; None if it cannot be read."""
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None
