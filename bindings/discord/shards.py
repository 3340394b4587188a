"""Numbers and paces the connections of a bot that is in many servers. Knows no connection.

https://discord.com/developers/docs/events/gateway#sharding
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from bindings.metrics import BotMetrics

IDENTIFY_S = 5.0  # Discord's minimum between new sessions, of all shards together


@dataclass(frozen=True, slots=True)
class ShardId:
    """One of `count` connections, numbered from 0."""

    number: int = 0
    count: int = 1

    @property
    def suffix(self) -> str:
        """Names what belongs to this shard only. "": there is one connection."""
        return f"-{self.number}-of-{self.count}" if self.count > 1 else ""


def shard_of(guild_id: str, count: int) -> int:
    """The shard that receives a server's events. Direct messages come to the first one."""
    return (int(guild_id) >> 22) % count if guild_id else 0


class IdentifyPacer:
    """Spaces the new sessions of all shards."""

    def __init__(self) -> None:
        self.interval_s = IDENTIFY_S
        self._lock = asyncio.Lock()
        self._last_at: float | None = None

    async def wait(self) -> None:
        """Waits for the turn of one session."""
        async with self._lock:
            if self._last_at is not None:
                await asyncio.sleep(max(0.0, self._last_at + self.interval_s - time.monotonic()))
            self._last_at = time.monotonic()


class ShardHealth:
    """Reports the platform as reachable while all shards are connected."""

    def __init__(self, metrics: BotMetrics, count: int) -> None:
        self._metrics = metrics
        self._connected = [False] * count

    def report(self, number: int, *, connected: bool) -> None:
        self._connected[number] = connected
        self._metrics.connected.set(all(self._connected))
