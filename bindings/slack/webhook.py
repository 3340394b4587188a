"""Slack over HTTP: /slack/events. Strangers reach it, so nothing is parsed before the signature was checked.

slack_bolt's own server parses first, and answers garbled headers and signed garbage with a 500.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import parse_qsl

import structlog
from aiohttp import web
from slack_bolt.response import BoltResponse

from bindings.slack.mapping import Fields, text
from bindings.slack.signature import genuine
from core import strict_json
from core.errors import BadRequest

log = structlog.get_logger()

PATH = "/slack/events"
BODY_LIMIT_BYTES = 1 << 20
FIELDS_LIMIT = 50
RETRY_AFTER_S = 5


class Webhook:
    """`take` gives bolt's answer: 200 once what was delivered is safe, 503 if it should come again."""

    def __init__(
        self,
        secret: str,
        take: Callable[[Fields], Awaitable[BoltResponse]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._secret = secret
        self._take = take
        self._clock = clock

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        return [web.post(PATH, self.receive)]

    async def receive(self, request: web.Request) -> web.Response:
        body = await whole(request)
        stamps = request.headers.getall("X-Slack-Request-Timestamp", [])
        signatures = request.headers.getall("X-Slack-Signature", [])
        if not genuine(self._secret, stamps, signatures, body, self._clock()):
            log.info("slack_webhook_forged", size=len(body))
            return web.json_response({"error": "the signature is not Slack's"}, status=401)
        try:
            payload = parsed(body, request.content_type)
        except BadRequest as error:
            log.info("slack_webhook_malformed", size=len(body), problem=error.message)
            return web.json_response({"error": error.message}, status=400)
        if payload.get("type") == "url_verification":
            return web.json_response({"challenge": text(payload, "challenge")})
        return answered(await self._take(payload))


async def whole(request: web.Request) -> bytes:
    try:
        body = await request.read()
    except web.RequestPayloadError as exc:
        raise web.HTTPBadRequest from exc
    if len(body) > BODY_LIMIT_BYTES:
        raise web.HTTPRequestEntityTooLarge(BODY_LIMIT_BYTES, len(body))
    return body


def parsed(body: bytes, content_type: str) -> Fields:
    """Of an event, a command, or a press on a button. Raises BadRequest."""
    raw: bytes | str = body
    if content_type != "application/json":
        found = form(body)
        if "command" in found or "payload" not in found:
            return checked(found)
        raw = found["payload"]
    payload = strict_json.parse(raw, last_wins=True)
    if not isinstance(payload, dict):
        raise BadRequest("the body must be a JSON object")
    return checked(payload)


def form(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=FIELDS_LIMIT
        )
    except ValueError as exc:  # also of its UTF-8
        raise BadRequest("the body is no form") from exc
    found = dict(pairs)
    for value in found.values():
        strict_json.check_text(value)
    return found


def checked(payload: Fields) -> Fields:
    """It is of a kind that Slack sends."""
    if not text(payload, "command") and not text(payload, "type"):
        raise BadRequest("the body says of no type")
    if payload.get("type") == "event_callback":
        event = payload.get("event")
        if not isinstance(event, dict) or not text(event, "type"):
            raise BadRequest("the event says of no type")
    return payload


def answered(response: BoltResponse) -> web.Response:
    """Bolt's answer. Its 404 means that what was delivered is of no kind that we know."""
    status = 400 if response.status == 404 else response.status
    headers = {"Retry-After": str(RETRY_AFTER_S)} if status == 503 else {}
    kind = response.headers.get("content-type", ["text/plain"])[0].partition(";")[0]
    return web.Response(status=status, text=response.body or "", content_type=kind, headers=headers)
