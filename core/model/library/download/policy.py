"""The limits of a download, as one value. Tests set smaller ones."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.runtime.backoff import Backoff

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class TransferPolicy:
    connections: int = 4
    open_every_s: float = 1.0  # between two connections: a process that is killed soon loses what one had on its way
    segment_min_bytes: int = MIB
    segment_max_bytes: int = 32 * MIB
    connect_s: float = 10.0
    stall_s: float = 30.0  # a connection with fewer than `stall_floor_bytes` in this time is replaced
    stall_floor_bytes: int = 32 * 1024
    patience_s: float = 600.0  # without a byte from any connection: then the attempt ends
    retry_after_limit_s: float = 300.0
    backoff: Backoff = field(default_factory=lambda: Backoff(first_s=0.5, limit_s=30.0))
    attempts: int = 3  # for wrong bytes, a changed file, and the hub's list of files
    redirects: int = 10
    report_s: float = 1.0  # between two reports of progress
    disk_reserve_bytes: int = 16 * MIB  # stays free for others

    def segment_bytes(self, size_bytes: int) -> int:
        """Returns the size of one request: each connection gets several, so that none is left with the rest."""
        share = size_bytes // (self.connections * 4)
        return min(max(share, self.segment_min_bytes), self.segment_max_bytes)
