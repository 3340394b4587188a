"""Socket Mode: receives Slack's deliveries over a WebSocket, and reopens it after every failure.

The SDK's client is unsuitable. It retries one URL for ever, although a URL is valid for one attempt. It closes the old
connection before it opens the next one. It measures silence by the wall clock. While Slack is down, it logs a stack
trace every few seconds. It starts handlers without limit.

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
from aiohttp import ClientWebSocketResponse
from prometheus_client import Gauge
from slack_bolt.response import BoltResponse

from bindings.delivery.outlet import DeliveryError
from bindings.slack.api import SlackApi
from bindings.slack.payloads import SlackObject, get_object, get_text
from bindings.slack.refusals import APPS, SlackErrorResponse
from core import strict_json
from core.errors import BadRequest, ConfigError
from core.runtime.backoff import Backoff
from core.runtime.log import LogInterval

log = structlog.get_logger()

CONCURRENCY = 32  # deliveries at once; further ones wait
MESSAGE_LIMIT_BYTES = 1 << 20
TOKEN_REFUSED = frozenset(
    {
        "account_inactive",
        "invalid_auth",
        "missing_scope",
        "not_allowed_token_type",
        "not_authed",
        "token_expired",
        "token_revoked",
    }
)


@dataclass(frozen=True, slots=True)
class SocketTimings:
    ping_s: float = 10.0  # a connection is lost if nothing arrives for half of this after a ping
    hello_s: float = 10.0  # limit for Slack's first message
    farewell_s: float = 20.0  # limit for last deliveries on a connection that Slack is about to close
    backoff: Backoff = field(default_factory=Backoff)


class SocketClient:
    def __init__(
        self,
        api: SlackApi,
        take: Callable[[SlackObject], Awaitable[BoltResponse]],
        connected: Gauge,
        timings: SocketTimings | None = None,
    ) -> None:
        self._api = api
        self._take = take
        self._connected = connected
        self._timings = timings or SocketTimings()
        self._slots = asyncio.Semaphore(CONCURRENCY)
        self._is_taking = True
        self._failures = 0
        self._log_interval = LogInterval()
        self._open_count = 0

    def stop_taking(self) -> None:
        """Stops acknowledging: Slack delivers later events again, to the next process."""
        self._is_taking = False

    async def run(self) -> None:
        """Runs until cancelled. Raises ConfigError if Slack refuses the app token."""
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

    async def _connect(self) -> ClientWebSocketResponse:
        try:
            url = await self._api.socket_url()
        except DeliveryError as error:
            if isinstance(error, SlackErrorResponse) and error.reason in TOKEN_REFUSED:
                raise ConfigError(
                    f"Slack refused SLACK_APP_TOKEN ({error.reason}): create an app-level token with the scope"
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

    async def _serve(self, socket: ClientWebSocketResponse, renew: asyncio.Event, group: asyncio.TaskGroup) -> None:
        """Serves one connection until it ends. Sets `renew` when another one is needed."""
        has_greeted = False
        try:
            async with asyncio.timeout(self._timings.hello_s) as deadline:
                async for message in socket:
                    envelope = parse_envelope(message)
                    kind = get_text(envelope, "type")
                    if kind == "hello" and not has_greeted:
                        has_greeted = True
                        deadline.reschedule(None)
                        self._record_open()
                    elif kind == "disconnect":
                        # It may still deliver while the next one opens.
                        deadline.reschedule(asyncio.get_running_loop().time() + self._timings.farewell_s)
                        renew.set()
                    else:
                        await self._accept(socket, envelope, group)
        except TimeoutError:
            log.debug("slack_socket_timed_out", has_greeted=has_greeted)
        finally:
            self._record_close(has_greeted, is_expected=renew.is_set(), cause=socket.exception())
            renew.set()
            await socket.close()

    async def _accept(self, socket: ClientWebSocketResponse, envelope: SlackObject, group: asyncio.TaskGroup) -> None:
        envelope_id, payload = get_text(envelope, "envelope_id"), get_object(envelope, "payload")
        if not envelope_id or not self._is_taking:
            return
        await self._slots.acquire()
        group.create_task(self._handle(socket, envelope_id, payload))

    async def _handle(self, socket: ClientWebSocketResponse, envelope_id: str, payload: SlackObject) -> None:
        """Acknowledges a delivery once it is stored. Slack repeats a delivery without acknowledgement."""
        try:
            response = await self._take(payload)
            if response.status != 503:
                await socket.send_str(json.dumps({"envelope_id": envelope_id, **acknowledgement_payload(response)}))
        except (ConnectionError, aiohttp.ClientError) as exc:
            log.info("slack_acknowledgement_failed", error=type(exc).__name__)
        finally:
            self._slots.release()

    # ------------------------------------------------------------ state of the connections

    def _record_open(self) -> None:
        self._failures = 0
        self._log_interval.reset()
        self._open_count += 1
        self._connected.set(1)
        log.info("slack_socket_connected")

    def _record_close(self, has_greeted: bool, *, is_expected: bool, cause: BaseException | None) -> None:
        if has_greeted:
            self._open_count -= 1
            self._connected.set(1 if self._open_count else 0)
        if not is_expected:
            self._record_failure(cause)

    def _record_failure(self, cause: BaseException | None) -> None:
        """Logs the first failure, then at most one a minute."""
        self._failures += 1
        if self._log_interval.is_due():
            problem = cause.message if isinstance(cause, DeliveryError) else type(cause).__name__ if cause else "closed"
            log.warning("slack_socket_lost", problem=problem, failures=self._failures)

    async def _pause(self, cause: BaseException) -> None:
        self._record_failure(cause)
        retry_after_s = cause.retry_after_s if isinstance(cause, DeliveryError) else None
        await asyncio.sleep(self._timings.backoff.pause_s(self._failures, retry_after_s or 0.0))


def parse_envelope(message: aiohttp.WSMessage) -> SlackObject:
    """Returns {} for a message that is not a JSON object."""
    if message.type is not aiohttp.WSMsgType.TEXT:
        return {}
    try:
        value = strict_json.parse(message.data, last_wins=True)
    except BadRequest as error:
        log.warning("slack_socket_message_malformed", problem=error.message)
        return {}
    return value if isinstance(value, dict) else {}


def acknowledgement_payload(response: BoltResponse) -> dict[str, Any]:
    """Converts bolt's response to the fields of an acknowledgement."""
    if response.status != 200 or not response.body:
        return {}
    json_body = response.headers.get("content-type", [""])[0].startswith("application/json")
    return {"payload": json.loads(response.body) if json_body else {"text": response.body}}
