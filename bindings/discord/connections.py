"""All connections of the bot to the gateway: one, or a shard for each part of its servers. Handles no event."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import aiohttp
import discord
import structlog

from bindings.discord.event_queue import EventQueue
from bindings.discord.gateway import CONCURRENT_EVENTS, GatewayClient
from bindings.discord.payloads import Payload
from bindings.discord.resume_position import ResumePosition
from bindings.discord.shards import IdentifyPacer, ShardHealth, ShardId, shard_of
from bindings.metrics import BotMetrics
from core.configuration.platform_sections import DiscordSettings
from core.errors import ConfigError
from core.runtime.backoff import NO_JITTER, Backoff
from core.runtime.log import LogInterval

log = structlog.get_logger()

QUEUE_LIMIT = 1000  # events of each kind, before the gateway stops reading
LOGIN_S = 30.0
BACKOFF = Backoff(first_s=1.0, limit_s=60.0, jitter=NO_JITTER)
LOGIN_REFUSED = (
    "Discord does not accept DISCORD_BOT_TOKEN: make a new token"
    " (Developer Portal, your application, Bot, Reset Token) and set it"
)
LOGIN_ERRORS = (aiohttp.ClientError, OSError, TimeoutError, ValueError, discord.DiscordException)


class Shard:
    """One connection, and its events that wait for their handler, in order."""

    def __init__(self, build: Callable[[Shard], GatewayClient]) -> None:
        self.messages = EventQueue(QUEUE_LIMIT)
        self._build = build
        self.client = build(self)

    async def log_in(self, token: str) -> None:
        """Retries while Discord is unreachable. A client whose login failed cannot be used again, so it is replaced.

        Raises ConfigError.
        """
        interval = LogInterval()
        for pause_s in BACKOFF.pauses():
            try:
                async with asyncio.timeout(LOGIN_S):
                    await self.client.login(token)
            except discord.LoginFailure as exc:
                raise ConfigError(LOGIN_REFUSED) from exc
            except LOGIN_ERRORS as exc:
                if interval.is_due():
                    log.warning("platform_unreachable", platform="discord", problem=type(exc).__name__)
                retry_after_s = exc.retry_after if isinstance(exc, discord.RateLimited) else 0.0
            else:
                return
            await self.client.close()
            self.client = self._build(self)
            await asyncio.sleep(max(pause_s, retry_after_s))


class GatewayConnections:
    """The shards of the bot. Begins with one; `log_in` makes as many as the settings say."""

    def __init__(self, settings: DiscordSettings, folder: Path, metrics: BotMetrics) -> None:
        self._settings = settings
        self._folder = folder
        self._metrics = metrics
        self.pacer = IdentifyPacer()
        self.interactions = EventQueue(QUEUE_LIMIT)
        self.shards: Sequence[Shard] = self._build_shards(1)
        self._running: list[asyncio.Task[None]] = []

    @property
    def first(self) -> GatewayClient:
        return self.shards[0].client

    def client_of(self, guild_id: str) -> GatewayClient:
        """The client that knows a server. "": a direct message."""
        return self.shards[shard_of(guild_id, len(self.shards))].client

    async def log_in(self, fetch_shards: Callable[[], Awaitable[int]]) -> None:
        """`fetch_shards` asks Discord for the number that it recommends. Raises ConfigError."""
        assert self._settings.bot_token is not None  # checked by the process
        token = self._settings.bot_token.get_secret_value()
        await self.shards[0].log_in(token)
        count = await fetch_shards() if self._settings.shards == "auto" else int(self._settings.shards)
        if count == 1:
            return
        await self.close()
        self.shards = self._build_shards(count)
        for shard in self.shards:
            await shard.log_in(token)
        log.info("shards_logged_in", platform="discord", count=count)

    def start(self, tasks: asyncio.TaskGroup) -> None:
        self._running = [tasks.create_task(shard.client.connect()) for shard in self.shards]

    async def stop(self) -> None:
        """Ends the connections. Discord gives the events not yet handled to the next process."""
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(self._running)

    async def close(self) -> None:
        for shard in self.shards:
            await shard.client.close()

    def _build_shards(self, count: int) -> Sequence[Shard]:
        health = ShardHealth(self._metrics, count)
        return [Shard(self._builder(ShardId(number, count), health)) for number in range(count)]

    def _builder(self, shard_id: ShardId, health: ShardHealth) -> Callable[[Shard], GatewayClient]:
        position = ResumePosition(self._folder / f"discord-session{shard_id.suffix}.json")

        def build(shard: Shard) -> GatewayClient:
            return GatewayClient(
                lambda kind, data: self._enqueue(shard, kind, data),
                lambda: self._wait_for_capacity(shard),
                position,
                lambda connected: health.report(shard_id.number, connected=connected),
                self.pacer,
                shard_id,
                message_content=self._settings.message_content,
                gateway_url=self._settings.gateway_url,
            )

        return build

    def _enqueue(self, shard: Shard, kind: str, data: Payload) -> None:
        queue = self.interactions if kind in CONCURRENT_EVENTS else shard.messages
        queue.put(kind, data)

    async def _wait_for_capacity(self, shard: Shard) -> None:
        await shard.messages.wait_for_capacity()
        await self.interactions.wait_for_capacity()
