"""The adapter of Discord: logs in, keeps the gateway, hands events to those who understand them. Holds no policy."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence

import aiohttp
import discord
import structlog
from aiohttp import web
from discord.http import Route

from bindings.delivery.outlet import DeliveryError
from bindings.discord import commands
from bindings.discord.bookmark import Bookmark
from bindings.discord.calls import Calls
from bindings.discord.client import AT_ONCE, GatewayClient
from bindings.discord.events import Interactions, Messages
from bindings.discord.files import Files
from bindings.discord.inbox import Inbox
from bindings.discord.indicator import Indicator
from bindings.discord.mapping import Payload
from bindings.discord.platform import DiscordPlatform
from bindings.discord.surroundings import Surroundings
from bindings.intake.intake import Intake
from bindings.metrics import BotMetrics
from bindings.platform import Platform
from core.configuration.settings import Settings
from core.errors import ConfigError, CspsError, Stopping
from core.runtime.backoff import NO_JITTER, Backoff
from core.runtime.log import LogInterval

log = structlog.get_logger()

WAITING_EVENTS = 1000  # of each kind, before no more are read from the network
INTERACTION_WORKERS = 8  # each is acknowledged within three seconds, also while others wait for the database
LOGIN_S = 30.0
BACKOFF = Backoff(first_s=1.0, limit_s=60.0, jitter=NO_JITTER)

NO_LOGIN = (
    "Discord does not accept DISCORD_BOT_TOKEN: make a new token"
    " (Developer Portal, your application, Bot, Reset Token) and set it"
)
NO_CONTENT = (
    "DISCORD_MESSAGE_CONTENT is set, but the application may not read messages: switch on Message Content Intent"
    " (Developer Portal, your application, Bot, Privileged Gateway Intents), or set DISCORD_MESSAGE_CONTENT=false"
)
AWAY = (aiohttp.ClientError, OSError, TimeoutError, ValueError, discord.DiscordException)


def build(settings: Settings, metrics: BotMetrics) -> DiscordAdapter:
    return DiscordAdapter(settings, metrics)


class DiscordAdapter:
    """See `bindings.hosting.process.Adapter`."""

    def __init__(self, settings: Settings, metrics: BotMetrics) -> None:
        self._settings = settings.discord
        self.metrics = metrics
        if self._settings.api_base_url:
            Route.BASE = self._settings.api_base_url.rstrip("/")  # the SDK knows no other way
        self._in_order, self._at_once = Inbox(WAITING_EVENTS), Inbox(WAITING_EVENTS)
        self._bookmark = Bookmark(settings.data_folder / "discord-session.json")
        self.client = self._new_client()
        self.calls = Calls(lambda: self.client.http, metrics)
        self._surroundings = Surroundings(lambda: self.client, self.calls)
        self._files = Files(self._settings.api_base_url)
        self._tasks: asyncio.TaskGroup | None = None
        self._gateway: asyncio.Task[None] | None = None
        indicator = Indicator(self.calls, self._spawn)
        self.platform: Platform = DiscordPlatform(self.calls, self._files, indicator, self._surroundings.of_guild)

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        return ()

    async def connect(self, intake: Intake) -> None:
        await self._log_in()
        self._check_intents()
        await self.begin(intake)

    async def begin(self, intake: Intake) -> None:
        """What is left to do once the client is logged in."""
        self._messages = Messages(intake, self._surroundings, follows=self._settings.message_content)
        self._interactions = Interactions(intake, self.calls)
        await self._tell_commands(intake.personality_names())

    async def run(self) -> None:
        try:
            async with asyncio.TaskGroup() as self._tasks:
                self._gateway = self._tasks.create_task(self.client.connect())
                self.work(self._tasks)
        except BaseExceptionGroup as group:
            only_the_operator, _ = group.split(ConfigError)
            raise first_of(only_the_operator or group) from group
        finally:
            self._tasks = None

    def work(self, tasks: asyncio.TaskGroup) -> None:
        """Takes the events that come in."""
        self._tasks = tasks
        tasks.create_task(each(self._in_order, self._take_next))
        for _ in range(INTERACTION_WORKERS):
            tasks.create_task(each(self._at_once, self._take_at_once))

    async def stop_taking(self) -> None:
        """The connection ends; what was read from it and is not taken any more, Discord gives the next process."""
        if self._gateway is not None:
            self._gateway.cancel()
            await asyncio.wait({self._gateway})

    async def close(self) -> None:
        await self._files.close()
        await self.client.close()

    def _new_client(self) -> GatewayClient:
        return GatewayClient(
            self._take,
            self._room,
            self._bookmark,
            self.metrics,
            message_content=self._settings.message_content,
            gateway_url=self._settings.gateway_url,
        )

    async def _take_next(self, kind: str, data: Payload) -> None:
        """Finished also if it failed, as it would the next time; not if this process stops or ends before."""
        try:
            await guarded(kind, self._messages.take(kind, data))
        except Stopping:
            # Nothing that was read after it may be finished before it: the bookmark stays here.
            log.info("event_left_to_the_next_process", platform="discord", kind=kind)
            await asyncio.Event().wait()
        self.client.finished()

    async def _take_at_once(self, kind: str, data: Payload) -> None:
        try:
            await guarded(kind, self._interactions.take(data))
        except Stopping:
            log.warning("event_take_failed", platform="discord", kind=kind, code=Stopping.code)

    def _take(self, kind: str, data: Payload) -> None:
        inbox = self._at_once if kind in AT_ONCE else self._in_order
        inbox.put((kind, data))

    async def _room(self) -> None:
        await self._in_order.room()
        await self._at_once.room()

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        if self._tasks is None:
            work.close()
        else:
            self._tasks.create_task(work)

    async def _log_in(self) -> None:
        """Goes on trying while Discord is away."""
        pauses, interval = BACKOFF.pauses(), LogInterval()
        while (problem := await self._try_to_log_in()) is not None:
            if interval.is_due():
                log.warning("platform_unreachable", platform="discord", problem=type(problem).__name__)
            asked_s = problem.retry_after if isinstance(problem, discord.RateLimited) else 0.0
            await asyncio.sleep(max(next(pauses), asked_s))

    async def _try_to_log_in(self) -> Exception | None:
        """What went wrong that may mend itself. A client that failed once is not used again."""
        token = self._settings.bot_token
        assert token is not None  # checked by the process
        try:
            async with asyncio.timeout(LOGIN_S):
                await self.client.login(token.get_secret_value())
        except discord.LoginFailure as exc:
            raise ConfigError(NO_LOGIN) from exc
        except AWAY as exc:
            await self.client.close()
            self.client = self._new_client()
            return exc
        return None

    def _check_intents(self) -> None:
        flags = self.client.application_flags
        granted = flags.gateway_message_content or flags.gateway_message_content_limited
        if self._settings.message_content and not granted:
            raise ConfigError(NO_CONTENT)

    async def _tell_commands(self, personalities: tuple[str, ...]) -> None:
        """Without them, mentions are still answered."""
        path, ids = "/applications/{application_id}/commands", {"application_id": str(self.client.application_id)}
        wanted = commands.definitions(personalities)
        try:
            known = await self.calls.ask("read", "GET", path, ids, params={"with_localizations": "true"})
            if not commands.registered(known, wanted):
                await self.calls.ask("post", "PUT", path, ids, json=wanted)
                log.info("commands_registered", platform="discord", commands=len(wanted))
        except DeliveryError as exc:
            log.warning("commands_not_registered", platform="discord", problem=exc.message)


async def each(inbox: Inbox, take: Callable[[str, Payload], Awaitable[None]]) -> None:
    """Until cancelled."""
    while True:
        await take(*await inbox.get())


async def guarded(kind: str, taking: Awaitable[None]) -> None:
    """What goes wrong with one event does not keep the next from being taken. Raises Stopping."""
    try:
        await taking
    except Stopping:
        raise
    except CspsError as exc:
        log.warning("event_failed", platform="discord", kind=kind, code=exc.code, problem=exc.message)
    except Exception:  # a payload that is not as documented: its text must not end the bot
        log.exception("event_failed", platform="discord", kind=kind)


def first_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    inner = group.exceptions[0]
    return first_of(inner) if isinstance(inner, BaseExceptionGroup) else inner
