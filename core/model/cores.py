"""How many processor cores there really are: two threads of one core share the units that matrix products need."""

from __future__ import annotations

import os
from pathlib import Path


def physical_cores(topology: Path = Path("/sys/devices/system/cpu")) -> int:
    """Physical cores that this process may run on; where that cannot be told, the logical ones."""
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))
    siblings = {_siblings(topology / f"cpu{cpu}" / "topology" / "thread_siblings_list", cpu) for cpu in allowed}
    return max(len(siblings), 1)


def _siblings(file: Path, cpu: int) -> str:
    try:
        return file.read_text(encoding="ascii").strip()
    except OSError:
        return str(cpu)
