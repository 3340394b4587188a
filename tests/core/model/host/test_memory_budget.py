"""The memory that models may take."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.configuration import settings
from core.model.hardware.gpus import Gpu
from core.model.hardware.memory import MachineMemory
from core.model.host import memory_budget
from core.model.host.memory_budget import MemoryBudget, full_budget, quick_budget

GIB = 1024**3
GPU = Gpu("A GPU", "cuda", 24 * GIB, 20 * GIB)


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_budget, "read_memory", lambda: MachineMemory(16 * GIB, 10 * GIB))


def load(folder: Path, **variables: str) -> settings.Settings:
    return settings.load({"CSPS_LLM_DATA": str(folder), **variables})


def test_by_itself_models_take_what_is_free_and_the_gpus_memory(tmp_path: Path) -> None:
    """A model that exceeds the machine is refused; before the GPUs are known, none is. 1 GiB of a GPU stays free."""
    chosen = load(tmp_path)
    quick = quick_budget(chosen)

    assert MemoryBudget(8 * GIB, None) == quick
    assert MemoryBudget(27 * GIB, 35 * GIB) == full_budget(chosen, quick, [GPU])
    assert MemoryBudget(8 * GIB, 16 * GIB) == full_budget(chosen, quick, [])


def test_the_setting_decides(tmp_path: Path) -> None:
    """Whatever the machine has."""
    chosen = load(tmp_path, LLM_MEMORY_MB="1024")

    assert MemoryBudget(GIB, GIB) == full_budget(chosen, quick_budget(chosen), [GPU])
