"""The adapter of Discord: logs in, runs the gateway, and gives its events to their handlers. Holds no policy."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from functools import partial

import structlog
from aiohttp import web
from discord.http import Route

from bindings.delivery.outlet import DeliveryError
from bindings.discord.api import DiscordApi
from bindings.discord.connections import GatewayConnections
from bindings.discord.event_queue import handle_all, handle_safely
from bindings.discord.events import InteractionEvents, MessageEvents
from bindings.discord.files import DiscordFiles
from bindings.discord.gateway import GatewayClient
from bindings.discord.guild_cache import GuildCache
from bindings.discord.mention_names import MentionDirectory
from bindings.discord.payloads import Payload, as_mapping, as_number
from bindings.discord.platform import DiscordPlatform
from bindings.discord.slash_commands import are_registered, build_commands
from bindings.incoming import Platform
from bindings.intake.intake import Intake
from bindings.metrics import BotMetrics
from core.configuration.settings import Settings
from core.errors import ConfigError, Stopping
from core.runtime.backoff import NO_JITTER, Backoff

log = structlog.get_logger()

INTERACTION_WORKERS = 8  # so that interactions meet their deadline while others wait for the database
FETCH_BACKOFF = Backoff(first_s=1.0, limit_s=60.0, jitter=NO_JITTER)
INTENT_MISSING = (
    "DISCORD_MESSAGE_CONTENT is set, but the application may not read messages: switch on Message Content Intent"
    " (Developer Portal, your application, Bot, Privileged Gateway Intents), or set DISCORD_MESSAGE_CONTENT=false"
)


class DiscordAdapter:
    """See `bindings.hosting.process.Adapter`."""

    def __init__(self, settings: Settings, metrics: BotMetrics) -> None:
        self._settings = settings.discord
        self.metrics = metrics
        if self._settings.api_base_url:
            Route.BASE = self._settings.api_base_url.rstrip("/")  # the SDK has no option for it
        self.connections = connections = GatewayConnections(self._settings, settings.data_folder, metrics)
        self.api = DiscordApi(lambda: self.client.http, metrics)
        self._guilds = GuildCache(connections.client_of, self.api)
        self._names = MentionDirectory(connections.client_of, self.api)
        self._files = DiscordFiles(self._settings.api_base_url)
        self._tasks: asyncio.TaskGroup | None = None
        self.platform: Platform = DiscordPlatform(self.api, self._files, self._guilds, self._names, self._spawn)

    @property
    def client(self) -> GatewayClient:
        return self.connections.first

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        return ()

    async def connect(self, intake: Intake) -> None:
        await self.connections.log_in(self._fetch_shards)
        self._check_intents()
        await self.start(intake)

    async def start(self, intake: Intake) -> None:
        """Does what remains once the client is logged in."""
        section = self._settings
        self._messages = MessageEvents(
            intake,
            self._guilds,
            self._names,
            reads_threads=section.message_content,
            bots=section.bots,
            channels=section.answer_without_mention,
        )
        self._interactions = InteractionEvents(intake, self.api, self._names)
        await self._register_commands(intake.personality_names())

    async def run(self) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                self.connections.start(tasks)
                self.start_workers(tasks)
        except BaseExceptionGroup as group:
            config_errors, _ = group.split(ConfigError)
            raise first_error(config_errors or group) from group
        finally:
            self._tasks = None

    def start_workers(self, tasks: asyncio.TaskGroup) -> None:
        self._tasks = tasks
        for shard in self.connections.shards:
            tasks.create_task(handle_all(shard.messages, partial(self._handle_message, shard.client)))
        for _ in range(INTERACTION_WORKERS):
            tasks.create_task(handle_all(self.connections.interactions, self._handle_interaction))

    async def stop_taking(self) -> None:
        await self.connections.stop()

    async def close(self) -> None:
        await self._files.close()
        await self.connections.close()

    async def _handle_message(self, client: GatewayClient, kind: str, data: Payload) -> None:
        """A failed event counts as finished, because it would fail again. Stopping leaves it to the next process."""
        try:
            await handle_safely(kind, self._messages.handle(kind, data))
        except Stopping:
            # A later event must not finish before this one, so this worker waits to be cancelled.
            log.info("event_deferred", platform="discord", kind=kind)
            await asyncio.Event().wait()
        client.finish_event()

    async def _handle_interaction(self, kind: str, data: Payload) -> None:
        try:
            await handle_safely(kind, self._interactions.handle(data))
        except Stopping:
            log.warning("event_take_failed", platform="discord", kind=kind, code=Stopping.code)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        if self._tasks is None:
            work.close()
        else:
            self._tasks.create_task(work)

    async def _fetch_shards(self) -> int:
        """The number of shards that Discord recommends."""
        for pause_s in FETCH_BACKOFF.pauses():
            try:
                answer = await self.api.call("read", "GET", "/gateway/bot", {})
            except DeliveryError as exc:
                log.warning("shards_fetch_failed", platform="discord", problem=exc.message)
                await asyncio.sleep(max(pause_s, exc.retry_after_s or 0.0))
            else:
                return max(1, as_number(as_mapping(answer).get("shards")))
        raise AssertionError  # the pauses never end

    def _check_intents(self) -> None:
        flags = self.client.application_flags
        granted = flags.gateway_message_content or flags.gateway_message_content_limited
        if self._settings.message_content and not granted:
            raise ConfigError(INTENT_MISSING)

    async def _register_commands(self, personalities: tuple[str, ...]) -> None:
        """Continues after an error: mentions work without slash commands."""
        path, ids = "/applications/{application_id}/commands", {"application_id": str(self.client.application_id)}
        application = self.client.application
        for_users = application is not None and application.user_integration_config is not None
        expected = build_commands(personalities, for_users=for_users)
        try:
            current = await self.api.call("read", "GET", path, ids, params={"with_localizations": "true"})
            if not are_registered(current, expected):
                await self.api.call("post", "PUT", path, ids, json=expected)
                log.info("commands_registered", platform="discord", commands=len(expected))
        except DeliveryError as exc:
            log.warning("command_registration_failed", platform="discord", problem=exc.message)


def first_error(group: BaseExceptionGroup[BaseException]) -> BaseException:
    inner = group.exceptions[0]
    return first_error(inner) if isinstance(inner, BaseExceptionGroup) else inner
