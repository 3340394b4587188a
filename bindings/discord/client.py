"""discord.py's client, with its traps taken out: the connection to the gateway is kept, whatever happens to it.

Owns the connection and which events are passed on, as Discord sent them. Refuses to know what they mean.

discord.py 2.7 ends when its first connection fails or an event cannot be parsed, connects again without a pause to a
gateway that keeps hanging up, and keeps every message it sees. Here the loop is our own, events that we do not need are
not parsed, and those that we do need go to `take` as they are; the SDK keeps guilds, channels and roles.
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

from bindings.discord.bookmark import Bookmark, Position
from bindings.discord.http import OneTry
from bindings.discord.mapping import Payload
from bindings.metrics import BotMetrics
from core.errors import ConfigError
from core.runtime.backoff import Backoff

log = structlog.get_logger()

OURS = ("MESSAGE_CREATE", "MESSAGE_DELETE", "MESSAGE_DELETE_BULK", "INTERACTION_CREATE")
AT_ONCE = ("INTERACTION_CREATE",)  # cannot wait; whoever gave it gives it again
BOTH = ("GUILD_DELETE",)  # also the SDK's
UP = ("READY", "RESUMED")
KEPT = (*UP, "USER_UPDATE", "GUILD_", "CHANNEL_", "THREAD_")  # beginnings of what the SDK keeps its books by

HANDSHAKE_S = 30.0
HEALTHY_S = 30.0  # a connection that lived so long is followed by another at once
BACKOFF = Backoff(first_s=1.0, limit_s=60.0, jitter=(0.5, 1.0))
IDENTIFY_S = 5.0  # Discord's pace for new sessions
ADDRESS_TRIES = 5  # of the address at which Discord wants a session to go on
SESSIONS_WAIT_S = 600.0  # at most, before it is asked again whether one may begin

FATAL = {
    4004: "DISCORD_BOT_TOKEN was taken back: make a new one (Developer Portal, Bot, Reset Token)",
    4010: "Discord refuses how the bot connects (invalid shard)",
    4011: "the bot is in so many servers that Discord asks for shards, which this version does not have",
    4012: "Discord no longer speaks this version of its gateway: update discord.py",
    4013: "Discord does not know the intents that the bot asks for: update discord.py",
    4014: "Discord did not grant the Message Content intent: switch it on (Developer Portal, Bot, Privileged Gateway"
    " Intents), or set DISCORD_MESSAGE_CONTENT=false",
}

Take = Callable[[str, Payload], None]
Room = Callable[[], Awaitable[None]]
Resumption = dict[str, Any]  # what `DiscordWebSocket.from_client` wants to know to go on with a session


def intents(*, message_content: bool) -> discord.Intents:
    """The least that works: guilds, their messages, direct messages; message content only where it was granted."""
    wanted = discord.Intents.none()
    wanted.guilds = wanted.guild_messages = wanted.dm_messages = True
    wanted.message_content = message_content
    return wanted


class GatewayClient(discord.Client):
    """`take` is called for each event of ours, in order; `room` is awaited before the next is read."""

    def __init__(
        self,
        take: Take,
        room: Room,
        bookmark: Bookmark,
        metrics: BotMetrics,
        *,
        message_content: bool,
        gateway_url: str | None = None,
    ) -> None:
        self._take = take
        self._wait_for_room = room
        self._bookmark = bookmark
        self._metrics = metrics
        self._gateway_url = URL(gateway_url) if gateway_url else None
        self._failures = 0  # in a row
        self.identify_s = IDENTIFY_S
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # we have no voice
        super().__init__(
            intents=intents(message_content=message_content),
            allowed_mentions=discord.AllowedMentions.none(),
            chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(),
            max_messages=None,
        )

    async def connect(self, *, reconnect: bool = True) -> None:
        """Until cancelled. Raises ConfigError where only the operator can help."""
        resumption = self._from_before()
        try:
            while True:
                began = time.monotonic()
                resumption = await self._session(resumption)
                self._metrics.connected.set(0)
                await asyncio.sleep(self._pause_s(time.monotonic() - began))
        finally:
            self._metrics.connected.set(0)

    def finished(self) -> None:
        """The oldest event that was taken is done with."""
        self._bookmark.finished()
        self._save()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        if not initial:
            await asyncio.sleep(self.identify_s)

    async def _session(self, resumption: Resumption) -> Resumption:
        """One connection, until it ends; how to go on."""
        try:
            await self._listen(resumption)
        except ReconnectWebSocket as exc:
            return self._resumption(resumption) if exc.resume else {}
        except discord.ConnectionClosed as exc:
            if exc.code in FATAL:
                raise ConfigError(FATAL[exc.code]) from exc
            log.warning("gateway_closed", platform="discord", code=exc.code)
        except (aiohttp.ClientError, OSError, TimeoutError, discord.DiscordException) as exc:
            log.warning("gateway_unreachable", platform="discord", problem=type(exc).__name__, failures=self._failures)
            return self._resumption(resumption)
        except Exception:  # what cannot be read would come again if the session went on: begin a new one
            log.exception("gateway_not_understood", platform="discord")
        return {}

    async def _listen(self, resumption: Resumption) -> None:
        """Raises whatever ends the connection."""
        resumption = resumption or {"gateway": await self._gateway(), "initial": self.ws is None}
        if self._failures > ADDRESS_TRIES:  # where the session was may be no more; Discord's front door is
            resumption = {**resumption, "gateway": self._gateway_url or DiscordWebSocket.DEFAULT_GATEWAY}
        async with asyncio.timeout(HANDSHAKE_S):
            self.ws = await DiscordWebSocket.from_client(self, **resumption)
        try:
            while True:
                await self.ws.poll_event()
                await self._wait_for_room()
        finally:
            await self.ws.close()  # by a code that leaves the session to be resumed; else its heart goes on beating

    async def _gateway(self) -> URL:
        """Where to connect. Waits while no more sessions may begin today: beyond the limit, the token is taken back."""
        while True:
            answer = await self.http.request(Route("GET", "/gateway/bot"))
            limit = answer["session_start_limit"]
            if limit["remaining"] > 0:
                return self._gateway_url or URL(answer["url"])
            wait_s = min(SESSIONS_WAIT_S, limit["reset_after"] / 1000 + 1)
            log.error("gateway_sessions_used_up", platform="discord", wait_s=round(wait_s))
            await asyncio.sleep(wait_s)

    def _from_before(self) -> Resumption:
        """To go on with the session of a process that is gone, which Discord keeps for some minutes."""
        position = self._bookmark.load(self._scope)
        if position is None:
            return {}
        gateway = self._gateway_url or URL(position.gateway)
        return {"resume": True, "session": position.session, "sequence": position.sequence, "gateway": gateway}

    @property
    def _scope(self) -> str:
        return f"{self.application_id}:{self.intents.value}"

    @property
    def _position(self) -> Position | None:
        """Up to where events were read."""
        ws = self.ws
        if not isinstance(ws, DiscordWebSocket) or ws.session_id is None or ws.sequence is None:
            return None
        return Position(self._scope, ws.session_id, ws.sequence, str(ws.gateway))

    def _save(self, *, now: bool = False) -> None:
        if position := self._position:
            self._bookmark.save(position, now=now)

    def _resumption(self, tried: Resumption) -> Resumption:
        """Of the session as it is now; where none has begun, as it was tried."""
        if self.ws is None or self.ws.session_id is None:
            return tried
        gateway = self._gateway_url or self.ws.gateway
        return {"resume": True, "session": self.ws.session_id, "sequence": self.ws.sequence, "gateway": gateway}

    def _pause_s(self, lived_s: float) -> float:
        """Discord ends connections that work, and then wants us back at once."""
        self._failures = 0 if lived_s >= HEALTHY_S else self._failures + 1
        return BACKOFF.pause_s(self._failures - 1)

    def _get_state(self, **options: Any) -> ConnectionState[Any]:
        self.http = OneTry(self.loop)
        state = super()._get_state(**options)
        kept = {name: parse for name, parse in state.parsers.items() if name.startswith(KEPT)}
        state.parsers = {name: self._guarded(name, kept.get(name)) for name in (*kept, *OURS)}
        return state

    def _guarded(self, name: str, parse: Callable[[Any], None] | None) -> Callable[[Any], None]:
        """An event that cannot be understood costs itself, and not the connection."""

        def parsed(data: Any) -> None:
            try:
                self._note(name, data)
                if parse is not None:
                    parse(data)
            except Exception:  # whatever the SDK trips over: the next event may be a question
                log.exception("event_not_understood", platform="discord", kind=name)

        return parsed

    def _note(self, name: str, data: Any) -> None:
        if name in OURS or name in BOTH:
            if name not in AT_ONCE:
                self._bookmark.began(self._position)
            self._take(name, data)
        elif name in UP:
            self._metrics.connected.set(1)
            self._save(now=True)
            log.info("gateway_connected", platform="discord", how=name.lower())
