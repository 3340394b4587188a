"""The sizes of all workloads, which the command line sets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class WorkloadOptions:
    model: Path
    clients: tuple[int, ...] = (1, 4, 8, 16, 32)
    tokens: int = 64  # of an answer
    prompt_tokens: int = 1500  # of a conversation or a long prompt
    interval_s: float = 12.0  # between two arrivals, on average
    requests: int = 2000
    random_format: str = "q8_0"  # of the weights of the memory-bound model
    conversations: int | None = None  # None: as many as the workload's target names
