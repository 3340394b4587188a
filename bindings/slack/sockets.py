"""Socket Mode: Slack's deliveries over a WebSocket that we open. Supervised: it is reopened whatever happens to it.

The SDK's client is not used for it. It goes on for ever with one address, which is good for one attempt; closes the
old connection before it opens the new one; measures silence by the wall clock; logs a stack trace every few seconds
while Slack is away; and starts handlers without limit. What is delivered is handled by slack_bolt all the same.

https://docs.slack.dev/apis/events-api/using-socket-mode
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import structlog
from prometheus_client import Gauge
from slack_bolt.response import BoltResponse

from bindings.delivery.outlet import DeliveryError
from bindings.slack.api import APPS, Answered, Api
from bindings.slack.mapping import Fields, fields, text
from core import strict_json
from core.errors import BadRequest, ConfigError
from core.runtime.backoff import Backoff
from core.runtime.log import LogInterval

log = structlog.get_logger()

AT_ONCE = 32  # deliveries that are being taken; then Slack waits
MESSAGE_LIMIT_BYTES = 1 << 20
TOKEN_REFUSED = frozenset(
    {"account_inactive", "invalid_auth", "missing_scope", "not_allowed_token_type", "not_authed", "token_revoked"}
)


@dataclass(frozen=True, slots=True)
class Timings:
    ping_s: float = 10.0  # a connection that is silent for half of that after a ping is deaf
    hello_s: float = 10.0  # for Slack's first word
    farewell_s: float = 20.0  # for deliveries on a connection that Slack is about to close
    backoff: Backoff = field(default_factory=Backoff)


class Sockets:
    def __init__(
        self,
        api: Api,
        take: Callable[[Fields], Awaitable[BoltResponse]],
        connected: Gauge,
        timings: Timings | None = None,
    ) -> None:
        self._api = api
        self._take = take
        self._connected = connected
        self._timings = timings or Timings()
        self._room = asyncio.Semaphore(AT_ONCE)
        self._taking = True
        self._failures = 0
        self._log_interval = LogInterval()
        self._live = 0

    def stop_taking(self) -> None:
        """What arrives from now on is not acknowledged, and Slack delivers it again, to whoever is there then."""
        self._taking = False

    async def run(self) -> None:
        """Until cancelled. Raises ConfigError if the app token is refused."""
        try:
            await self._supervise()
        except* ConfigError as group:
            raise group.exceptions[0] from None

    async def _supervise(self) -> None:
        async with asyncio.TaskGroup() as group:
            while True:
                try:
                    socket = await self._connect()
                except (DeliveryError, aiohttp.ClientError, TimeoutError, ValueError) as exc:
                    await self._pause(exc)
                    continue
                renew = asyncio.Event()
                group.create_task(self._serve(socket, renew, group))
                await renew.wait()
                if self._failures:
                    await asyncio.sleep(self._timings.backoff.pause_s(self._failures))

    async def _connect(self) -> aiohttp.ClientWebSocketResponse:
        try:
            url = await self._api.socket_url()
        except DeliveryError as error:
            if isinstance(error, Answered) and error.reason in TOKEN_REFUSED:
                raise ConfigError(
                    f"Slack refused SLACK_APP_TOKEN ({error.reason}): make an app-level token with the scope"
                    f" connections:write at {APPS} → Basic Information → App-Level Tokens"
                ) from error
            raise
        return await self._api.session.ws_connect(
            url,
            heartbeat=self._timings.ping_s,
            max_msg_size=MESSAGE_LIMIT_BYTES,
            proxy=self._api.web.proxy,
            timeout=aiohttp.ClientWSTimeout(ws_close=2.0),
        )

    async def _serve(
        self, socket: aiohttp.ClientWebSocketResponse, renew: asyncio.Event, group: asyncio.TaskGroup
    ) -> None:
        """One connection to its end. `renew` is set when another one is needed."""
        greeted = False
        try:
            async with asyncio.timeout(self._timings.hello_s) as deadline:
                async for message in socket:
                    envelope = parsed(message)
                    kind = text(envelope, "type")
                    if kind == "hello" and not greeted:
                        greeted = True
                        deadline.reschedule(None)
                        self._opened()
                    elif kind == "disconnect":
                        # It may still deliver; the next one is opened meanwhile.
                        deadline.reschedule(asyncio.get_running_loop().time() + self._timings.farewell_s)
                        renew.set()
                    else:
                        await self._accept(socket, envelope, group)
        except TimeoutError:
            log.debug("slack_socket_timeout", greeted=greeted)
        finally:
            self._closed(greeted, expected=renew.is_set(), why=socket.exception())
            renew.set()
            await socket.close()

    async def _accept(
        self, socket: aiohttp.ClientWebSocketResponse, envelope: Fields, group: asyncio.TaskGroup
    ) -> None:
        envelope_id, payload = text(envelope, "envelope_id"), fields(envelope, "payload")
        if not envelope_id or not self._taking:
            return
        await self._room.acquire()
        group.create_task(self._handle(socket, envelope_id, payload))

    async def _handle(self, socket: aiohttp.ClientWebSocketResponse, envelope_id: str, payload: Fields) -> None:
        """Acknowledged once it is safe; what was not taken now is delivered again."""
        try:
            response = await self._take(payload)
            if response.status != 503:
                await socket.send_str(json.dumps({"envelope_id": envelope_id, **said(response)}))
        except (ConnectionError, aiohttp.ClientError) as exc:
            log.info("slack_not_acknowledged", why=type(exc).__name__)
        finally:
            self._room.release()

    # ------------------------------------------------------------ how it goes

    def _opened(self) -> None:
        self._failures = 0
        self._log_interval.reset()
        self._live += 1
        self._connected.set(1)
        log.info("slack_socket_connected")

    def _closed(self, greeted: bool, *, expected: bool, why: BaseException | None) -> None:
        if greeted:
            self._live -= 1
            self._connected.set(1 if self._live else 0)
        if not expected:
            self._failed(why)

    def _failed(self, why: BaseException | None) -> None:
        """One line when it begins, and one a minute."""
        self._failures += 1
        if self._log_interval.is_due():
            problem = why.message if isinstance(why, DeliveryError) else type(why).__name__ if why else "closed"
            log.warning("slack_socket_lost", problem=problem, failures=self._failures)

    async def _pause(self, why: BaseException) -> None:
        self._failed(why)
        told_s = why.retry_after_s if isinstance(why, DeliveryError) else None
        await asyncio.sleep(max(told_s or 0.0, self._timings.backoff.pause_s(self._failures)))


def parsed(message: aiohttp.WSMessage) -> Fields:
    """What is no envelope is nothing."""
    if message.type is not aiohttp.WSMsgType.TEXT:
        return {}
    try:
        value = strict_json.parse(message.data, last_wins=True)
    except BadRequest as error:
        log.warning("slack_socket_garbled", problem=error.message)
        return {}
    return value if isinstance(value, dict) else {}


def said(response: BoltResponse) -> dict[str, Any]:
    """What bolt answers, as an acknowledgement carries it."""
    if response.status != 200 or not response.body:
        return {}
    json_body = response.headers.get("content-type", [""])[0].startswith("application/json")
    return {"payload": json.loads(response.body) if json_body else {"text": response.body}}
