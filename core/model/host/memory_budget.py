"""The memory that loaded models may take together."""

from __future__ import annotations

from core.configuration.settings import Settings
from core.model.hardware.memory import read_memory

MEBIBYTE = 1024 * 1024
AVAILABLE_SHARE = 0.8  # the rest is for documents, the web process and the bots
FALLBACK_BYTES = 4 * 1024 * MEBIBYTE  # where the system does not tell


def choose_budget(settings: Settings) -> int:
    """Returns the budget in bytes: the setting, or a share of the memory that is free before the first load."""
    if settings.model.memory_mb:
        return settings.model.memory_mb * MEBIBYTE
    memory = read_memory()
    return int(AVAILABLE_SHARE * memory.available_bytes) if memory else FALLBACK_BYTES
