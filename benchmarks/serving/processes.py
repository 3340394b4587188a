"""The memory and the processor time of a process with its descendants."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")


def process_tree(pid: int, proc: Path = PROC) -> Iterator[int]:
    """Yields the process and its descendants."""
    yield pid
    for children in (proc / str(pid) / "task").glob("*/children"):  # one for each thread that started processes
        for child in children.read_text(encoding="ascii").split():
            yield from process_tree(int(child), proc)


def resident_mb(pid: int, proc: Path = PROC) -> float:
    pages = sum(int((proc / str(each) / "statm").read_text("ascii").split()[1]) for each in process_tree(pid, proc))
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def cpu_s(pid: int, proc: Path = PROC) -> float:
    """Returns the seconds that all threads computed, also those in the kernel."""
    ticks = 0
    for each in process_tree(pid, proc):
        fields = (proc / str(each) / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])  # utime, stime: proc_pid_stat(5), fields 14 and 15
    return ticks / os.sysconf("SC_CLK_TCK")
