"""Facts about the machine, for `doctor`. `core.model.hardware` reads them; the engine answers in its own process."""

from __future__ import annotations

import json
import sys
from typing import Any

from core.model.hardware.commands import run_command

PROBE_DEADLINE_S = 60.0  # a GPU's driver may take long to start


def engine_offloads() -> bool | None:
    """Tells whether the engine was compiled for a GPU; None if it does not start. Runs its own process."""
    output = run_command(sys.executable, "-m", "core.model.worker.prepare", "--probe", deadline_s=PROBE_DEADLINE_S)
    try:
        probe: Any = json.loads((output or "").strip().rpartition("\n")[2])
        return bool(probe["gpu_offload"])
    except (ValueError, KeyError, TypeError):
        return None
