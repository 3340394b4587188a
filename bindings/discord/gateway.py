"""The connection to Discord's gateway: reconnects whatever happens, and resumes the session. Knows no event's meaning.

discord.py 2.7 ends when its first connection fails or an event cannot be parsed. It reconnects without a pause to a
gateway that keeps closing, and caches every message. Here the loop is our own. The SDK parses only guilds, channels and
roles; the bot's own events go to `on_event` as Discord sent them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import discord
import structlog
from discord.gateway import DiscordWebSocket, ReconnectWebSocket
from discord.http import Route
from discord.state import ConnectionState
from yarl import URL

from bindings.discord.api import SingleAttemptClient
from bindings.discord.payloads import Payload
from bindings.discord.resume_position import GatewayPosition, ResumePosition
from bindings.discord.shards import IdentifyPacer, ShardId
from core.errors import ConfigError
from core.runtime.backoff import Backoff

log = structlog.get_logger()

CONCURRENT_EVENTS = ("INTERACTION_CREATE",)  # have a deadline; the person repeats a lost one
OWN_EVENTS = ("MESSAGE_CREATE", "MESSAGE_UPDATE", "MESSAGE_DELETE", "MESSAGE_DELETE_BULK", *CONCURRENT_EVENTS)
SHARED_EVENTS = ("GUILD_DELETE",)  # the SDK parses them too
CONNECTED_EVENTS = ("READY", "RESUMED")
SDK_PREFIXES = (*CONNECTED_EVENTS, "USER_UPDATE", "GUILD_", "CHANNEL_", "THREAD_")  # of events for the SDK's cache

HANDSHAKE_S = 30.0
HEALTHY_S = 30.0  # after a connection of this length, the bot reconnects at once
BACKOFF = Backoff(first_s=1.0, limit_s=60.0, jitter=(0.5, 1.0))
RESUME_URL_ATTEMPTS = 5  # failures in a row before the resume URL is given up
SESSIONS_WAIT_S = 600.0  # the longest pause between two reads of the session limit

FATAL_CLOSE_CODES = {
    4004: "DISCORD_BOT_TOKEN was revoked: make a new one (Developer Portal, Bot, Reset Token)",
    4010: "Discord rejects the bot's connection (invalid shard): set DISCORD_SHARDS=auto",
    4011: "the bot is in too many servers for its connections: set DISCORD_SHARDS=auto",
    4012: "Discord no longer supports this version of its gateway: update discord.py",
    4013: "Discord does not know the bot's intents: update discord.py",
    4014: "Discord did not grant the Message Content intent: switch it on (Developer Portal, Bot, Privileged Gateway"
    " Intents), or set DISCORD_MESSAGE_CONTENT=false",
}

ResumeOptions = dict[str, Any]  # the arguments of `DiscordWebSocket.from_client`; {}: a new session


def build_intents(*, message_content: bool) -> discord.Intents:
    """The minimum: guilds, guild messages, direct messages; message content only if it is granted."""
    intents = discord.Intents.none()
    intents.guilds = intents.guild_messages = intents.dm_messages = True
    intents.message_content = message_content
    return intents


class GatewayClient(discord.Client):
    """Calls `on_event` for each of the bot's events, in order; awaits `wait_for_capacity` before it reads the next."""

    def __init__(
        self,
        on_event: Callable[[str, Payload], None],
        wait_for_capacity: Callable[[], Awaitable[None]],
        resume_position: ResumePosition,
        report_connected: Callable[[bool], None],
        pacer: IdentifyPacer,
        shard: ShardId,
        *,
        message_content: bool,
        gateway_url: str | None = None,
    ) -> None:
        self._on_event = on_event
        self._wait_for_capacity = wait_for_capacity
        self._resume_position = resume_position
        self._report_connected = report_connected
        self._pacer = pacer
        self._shard = shard
        self._gateway_url = URL(gateway_url) if gateway_url else None
        self._failures = 0  # in a row
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # the bot has no voice
        super().__init__(
            intents=build_intents(message_content=message_content),
            allowed_mentions=discord.AllowedMentions.none(),
            chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(),
            max_messages=None,
            shard_id=shard.number if shard.count > 1 else None,
            shard_count=shard.count if shard.count > 1 else None,
        )

    async def connect(self, *, reconnect: bool = True) -> None:
        """Reconnects until cancelled. Raises ConfigError if only the operator can help."""
        options = self._stored_options()
        try:
            while True:
                began = time.monotonic()
                options = await self._run_connection(options)
                self._report_connected(False)
                await asyncio.sleep(self._pause_s(time.monotonic() - began))
        finally:
            self._report_connected(False)

    def finish_event(self) -> None:
        """Records that the oldest event in progress is finished."""
        self._resume_position.finish_event()
        self._save_position()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        await self._pacer.wait()

    async def _run_connection(self, options: ResumeOptions) -> ResumeOptions:
        """Runs one connection to its end. Returns the options of the next."""
        try:
            await self._receive(options)
        except ReconnectWebSocket as exc:
            return self._resume_options(options) if exc.resume else {}
        except discord.ConnectionClosed as exc:
            if exc.code in FATAL_CLOSE_CODES:
                raise ConfigError(FATAL_CLOSE_CODES[exc.code]) from exc
            log.warning("gateway_closed", platform="discord", code=exc.code)
        except (aiohttp.ClientError, OSError, TimeoutError, discord.DiscordException) as exc:
            log.warning("gateway_unreachable", platform="discord", problem=type(exc).__name__, failures=self._failures)
            return self._resume_options(options)
        except Exception:  # a resumed session would send the unreadable frame again
            log.exception("gateway_failed", platform="discord")
        return {}

    async def _receive(self, options: ResumeOptions) -> None:
        """Raises the exception that ends the connection."""
        options = options or {"gateway": await self._fetch_gateway(), "initial": self.ws is None}
        if self._failures > RESUME_URL_ATTEMPTS:  # the session's host may no longer exist; the public address does
            options = {**options, "gateway": self._gateway_url or DiscordWebSocket.DEFAULT_GATEWAY}
        async with asyncio.timeout(HANDSHAKE_S):
            self.ws = await DiscordWebSocket.from_client(self, shard_id=self.shard_id, **options)
        try:
            while True:
                await self.ws.poll_event()
                await self._wait_for_capacity()
        finally:
            await self.ws.close()  # with code 4000, which keeps the session; also ends the SDK's heartbeat thread

    async def _fetch_gateway(self) -> URL:
        """Waits while today's sessions are used up: Discord revokes the token of a bot that exceeds the limit."""
        while True:
            answer = await self.http.request(Route("GET", "/gateway/bot"))
            limit = answer["session_start_limit"]
            if limit["remaining"] > 0:
                return self._gateway_url or URL(answer["url"])
            wait_s = min(SESSIONS_WAIT_S, limit["reset_after"] / 1000 + 1)
            log.error("gateway_sessions_exhausted", platform="discord", wait_s=round(wait_s))
            await asyncio.sleep(wait_s)

    def _stored_options(self) -> ResumeOptions:
        """Options to resume the previous process's session, which Discord keeps for some minutes."""
        position = self._resume_position.load(self._scope)
        return self._options_at(position.session, position.sequence, URL(position.gateway)) if position else {}

    def _resume_options(self, previous: ResumeOptions) -> ResumeOptions:
        """Options to resume the current session; without one, the options of the previous attempt."""
        if self.ws is None or self.ws.session_id is None:
            return previous
        return self._options_at(self.ws.session_id, self.ws.sequence, self.ws.gateway)

    def _options_at(self, session: str, sequence: int | None, gateway: URL) -> ResumeOptions:
        return {"resume": True, "session": session, "sequence": sequence, "gateway": self._gateway_url or gateway}

    @property
    def _scope(self) -> str:
        return f"{self.application_id}:{self.intents.value}{self._shard.suffix}"

    @property
    def _position(self) -> GatewayPosition | None:
        """The position of the last event that was read."""
        ws = self.ws
        if not isinstance(ws, DiscordWebSocket) or ws.session_id is None or ws.sequence is None:
            return None
        return GatewayPosition(self._scope, ws.session_id, ws.sequence, str(ws.gateway))

    def _save_position(self, *, now: bool = False) -> None:
        if position := self._position:
            self._resume_position.save(position, now=now)

    def _pause_s(self, connection_s: float) -> float:
        """Discord also ends healthy connections, and expects the bot back at once."""
        self._failures = 0 if connection_s >= HEALTHY_S else self._failures + 1
        return BACKOFF.pause_s(self._failures - 1)

    def _get_state(self, **options: Any) -> ConnectionState[Any]:
        self.http = SingleAttemptClient(self.loop)
        state = super()._get_state(**options)
        sdk_parsers = {name: parse for name, parse in state.parsers.items() if name.startswith(SDK_PREFIXES)}
        state.parsers = {name: self._wrap(name, sdk_parsers.get(name)) for name in (*sdk_parsers, *OWN_EVENTS)}
        return state

    def _wrap(self, name: str, parse: Callable[[Any], None] | None) -> Callable[[Any], None]:
        """A parser that logs its errors, so that one malformed event does not end the connection."""

        def parse_safely(data: Any) -> None:
            try:
                self._dispatch(name, data)
                if parse is not None:
                    parse(data)
            except Exception:  # any error of the SDK: the next event may be a question
                log.exception("event_parse_failed", platform="discord", kind=name)

        return parse_safely

    def _dispatch(self, name: str, data: Any) -> None:
        if name in OWN_EVENTS or name in SHARED_EVENTS:
            if name not in CONCURRENT_EVENTS:
                self._resume_position.start_event(self._position)
            self._on_event(name, data)
        elif name in CONNECTED_EVENTS:
            self._report_connected(True)
            self._save_position(now=True)
            log.info("gateway_connected", platform="discord", kind=name.lower())
