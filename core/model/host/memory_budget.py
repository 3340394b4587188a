"""The memory that loaded models may take: together, and one alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.configuration.settings import Settings
from core.model.hardware.gpus import Gpu
from core.model.hardware.memory import MachineMemory, read_memory
from core.model.hardware.offload import usable_bytes
from core.model.hardware.placement import Room

MEBIBYTE = 1024 * 1024
AVAILABLE_SHARE = 0.8  # the rest is for documents, the web process and the bots
ASSUMED = MachineMemory(8 * 1024 * MEBIBYTE, 4 * 1024 * MEBIBYTE)  # where the system does not tell


@dataclass(frozen=True, slots=True)
class MemoryBudget:
    """A model above `together_bytes` is loaded alone, one above `single_bytes` is refused. None: nothing is."""

    together_bytes: int
    single_bytes: int | None


def quick_budget(settings: Settings) -> MemoryBudget:
    """Returns the setting, or a share of the memory that is free now. Nothing is refused while GPUs are unknown."""
    if settings.model.memory_mb:
        limit_bytes = settings.model.memory_mb * MEBIBYTE
        return MemoryBudget(limit_bytes, limit_bytes)
    return MemoryBudget(int(AVAILABLE_SHARE * (read_memory() or ASSUMED).available_bytes), None)


def full_budget(settings: Settings, quick: MemoryBudget, gpus: Sequence[Gpu]) -> MemoryBudget:
    """Adds the GPUs' own memory as far as models can use it, unless the setting decides.

    One sum suffices: a worker puts as many layers on GPUs as fit there, and the others into the machine's memory.
    """
    if settings.model.memory_mb:
        return quick
    on_gpus = sum(usable_bytes(gpu.free_bytes) for gpu in gpus if not gpu.unified)
    return MemoryBudget(quick.together_bytes + on_gpus, (read_memory() or ASSUMED).usable_bytes + on_gpus)


def model_room(quick: MemoryBudget, gpus: Sequence[Gpu] = ()) -> Room:
    """Returns the memory by which the KV cache of each model is sized, here and in its worker."""
    free_bytes = tuple(gpu.free_bytes for gpu in gpus)
    return Room(quick.together_bytes, free_bytes, unified=any(gpu.unified for gpu in gpus))
