"""The adapter of Discord: logs in, runs the gateway, and gives its events to their handlers. Holds no policy."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence

import aiohttp
import discord
import structlog
from aiohttp import web
from discord.http import Route

from bindings.delivery.outlet import DeliveryError
from bindings.discord.api import DiscordApi
from bindings.discord.events import InteractionEvents, MessageEvents
from bindings.discord.files import DiscordFiles
from bindings.discord.gateway import CONCURRENT_EVENTS, GatewayClient
from bindings.discord.guild_cache import GuildCache
from bindings.discord.mention_names import MentionDirectory
from bindings.discord.payloads import Payload
from bindings.discord.platform import DiscordPlatform
from bindings.discord.resume_position import ResumePosition
from bindings.discord.slash_commands import are_registered, build_commands
from bindings.incoming import Platform
from bindings.intake.intake import Intake
from bindings.metrics import BotMetrics
from core.configuration.settings import Settings
from core.errors import ConfigError, CspsError, Stopping
from core.runtime.backoff import NO_JITTER, Backoff
from core.runtime.log import LogInterval

log = structlog.get_logger()

QUEUE_LIMIT = 1000  # events of each kind, before the gateway stops reading
INTERACTION_WORKERS = 8  # so that interactions meet their deadline while others wait for the database
LOGIN_S = 30.0
BACKOFF = Backoff(first_s=1.0, limit_s=60.0, jitter=NO_JITTER)

LOGIN_REFUSED = (
    "Discord does not accept DISCORD_BOT_TOKEN: make a new token"
    " (Developer Portal, your application, Bot, Reset Token) and set it"
)
INTENT_MISSING = (
    "DISCORD_MESSAGE_CONTENT is set, but the application may not read messages: switch on Message Content Intent"
    " (Developer Portal, your application, Bot, Privileged Gateway Intents), or set DISCORD_MESSAGE_CONTENT=false"
)
LOGIN_ERRORS = (aiohttp.ClientError, OSError, TimeoutError, ValueError, discord.DiscordException)


class EventQueue:
    """Events on their way to a handler. The gateway awaits `wait_for_capacity` before it reads the next one."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._events: asyncio.Queue[tuple[str, Payload]] = asyncio.Queue()
        self._has_capacity = asyncio.Event()
        self._has_capacity.set()

    def put(self, kind: str, data: Payload) -> None:
        self._events.put_nowait((kind, data))
        if self._events.qsize() >= self._limit:
            self._has_capacity.clear()

    async def get(self) -> tuple[str, Payload]:
        event = await self._events.get()
        if self._events.qsize() < self._limit:
            self._has_capacity.set()
        return event

    async def wait_for_capacity(self) -> None:
        await self._has_capacity.wait()


class DiscordAdapter:
    """See `bindings.hosting.process.Adapter`."""

    def __init__(self, settings: Settings, metrics: BotMetrics) -> None:
        self._settings = settings.discord
        self.metrics = metrics
        if self._settings.api_base_url:
            Route.BASE = self._settings.api_base_url.rstrip("/")  # the SDK has no option for it
        self._message_queue, self._interaction_queue = EventQueue(QUEUE_LIMIT), EventQueue(QUEUE_LIMIT)
        self._resume_position = ResumePosition(settings.data_folder / "discord-session.json")
        self.client = self._build_client()
        self.api = DiscordApi(lambda: self.client.http, metrics)
        self._guilds = GuildCache(lambda: self.client, self.api)
        self._names = MentionDirectory(lambda: self.client, self.api)
        self._files = DiscordFiles(self._settings.api_base_url)
        self._tasks: asyncio.TaskGroup | None = None
        self._gateway: asyncio.Task[None] | None = None
        self.platform: Platform = DiscordPlatform(self.api, self._files, self._guilds, self._names, self._spawn)

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        return ()

    async def connect(self, intake: Intake) -> None:
        await self._log_in()
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
                self._gateway = tasks.create_task(self.client.connect())
                self.start_workers(tasks)
        except BaseExceptionGroup as group:
            config_errors, _ = group.split(ConfigError)
            raise first_error(config_errors or group) from group
        finally:
            self._tasks = None

    def start_workers(self, tasks: asyncio.TaskGroup) -> None:
        self._tasks = tasks
        tasks.create_task(handle_all(self._message_queue, self._handle_message))
        for _ in range(INTERACTION_WORKERS):
            tasks.create_task(handle_all(self._interaction_queue, self._handle_interaction))

    async def stop_taking(self) -> None:
        """Ends the connection. Discord gives the events not yet handled to the next process."""
        if self._gateway is not None:
            self._gateway.cancel()
            await asyncio.wait({self._gateway})

    async def close(self) -> None:
        await self._files.close()
        await self.client.close()

    def _build_client(self) -> GatewayClient:
        return GatewayClient(
            self._enqueue,
            self._wait_for_capacity,
            self._resume_position,
            self.metrics,
            message_content=self._settings.message_content,
            gateway_url=self._settings.gateway_url,
        )

    async def _handle_message(self, kind: str, data: Payload) -> None:
        """A failed event counts as finished, because it would fail again. Stopping leaves it to the next process."""
        try:
            await handle_safely(kind, self._messages.handle(kind, data))
        except Stopping:
            # A later event must not finish before this one, so this worker waits to be cancelled.
            log.info("event_deferred", platform="discord", kind=kind)
            await asyncio.Event().wait()
        self.client.finish_event()

    async def _handle_interaction(self, kind: str, data: Payload) -> None:
        try:
            await handle_safely(kind, self._interactions.handle(data))
        except Stopping:
            log.warning("event_take_failed", platform="discord", kind=kind, code=Stopping.code)

    def _enqueue(self, kind: str, data: Payload) -> None:
        queue = self._interaction_queue if kind in CONCURRENT_EVENTS else self._message_queue
        queue.put(kind, data)

    async def _wait_for_capacity(self) -> None:
        await self._message_queue.wait_for_capacity()
        await self._interaction_queue.wait_for_capacity()

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        if self._tasks is None:
            work.close()
        else:
            self._tasks.create_task(work)

    async def _log_in(self) -> None:
        """Retries while Discord is unreachable. A client whose login failed cannot be used again, so it is replaced."""
        assert self._settings.bot_token is not None  # checked by the process
        interval = LogInterval()
        for pause_s in BACKOFF.pauses():
            try:
                async with asyncio.timeout(LOGIN_S):
                    await self.client.login(self._settings.bot_token.get_secret_value())
            except discord.LoginFailure as exc:
                raise ConfigError(LOGIN_REFUSED) from exc
            except LOGIN_ERRORS as exc:
                if interval.is_due():
                    log.warning("platform_unreachable", platform="discord", problem=type(exc).__name__)
                retry_after_s = exc.retry_after if isinstance(exc, discord.RateLimited) else 0.0
            else:
                return
            await self.client.close()
            self.client = self._build_client()
            await asyncio.sleep(max(pause_s, retry_after_s))

    def _check_intents(self) -> None:
        flags = self.client.application_flags
        granted = flags.gateway_message_content or flags.gateway_message_content_limited
        if self._settings.message_content and not granted:
            raise ConfigError(INTENT_MISSING)

    async def _register_commands(self, personalities: tuple[str, ...]) -> None:
        """Continues after an error: mentions work without slash commands."""
        path, ids = "/applications/{application_id}/commands", {"application_id": str(self.client.application_id)}
        expected = build_commands(personalities)
        try:
            current = await self.api.call("read", "GET", path, ids, params={"with_localizations": "true"})
            if not are_registered(current, expected):
                await self.api.call("post", "PUT", path, ids, json=expected)
                log.info("commands_registered", platform="discord", commands=len(expected))
        except DeliveryError as exc:
            log.warning("command_registration_failed", platform="discord", problem=exc.message)


async def handle_all(queue: EventQueue, handle: Callable[[str, Payload], Awaitable[None]]) -> None:
    """Handles events until cancelled."""
    while True:
        await handle(*await queue.get())


async def handle_safely(kind: str, handling: Awaitable[None]) -> None:
    """Logs the error of one event, so that the next is handled. Raises Stopping."""
    try:
        await handling
    except Stopping:
        raise
    except CspsError as exc:
        log.warning("event_failed", platform="discord", kind=kind, code=exc.code, problem=exc.message)
    except Exception:  # e.g. a malformed payload; its text must not end the bot
        log.exception("event_failed", platform="discord", kind=kind)


def first_error(group: BaseExceptionGroup[BaseException]) -> BaseException:
    inner = group.exceptions[0]
    return first_error(inner) if isinstance(inner, BaseExceptionGroup) else inner
