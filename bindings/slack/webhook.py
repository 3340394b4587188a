"""Receives Slack's deliveries over HTTP at /slack/events. Anybody can call it: it checks signatures before it parses.

slack_bolt's own server parses first, and answers 500 to malformed headers and to a signed malformed body.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import parse_qsl

import structlog
from aiohttp import web
from slack_bolt.response import BoltResponse

from bindings.slack.payloads import SlackObject, get_object, get_text
from core import strict_json
from core.errors import BadRequest

log = structlog.get_logger()

PATH = "/slack/events"
FIELDS_LIMIT = 50
RETRY_AFTER_S = 5
SIGNATURE_AGE_LIMIT_S = 300
TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)


class SlackWebhook:
    """Answers with bolt's response: `take` returns 200 once a delivery is stored, and 503 for a retry by Slack."""

    def __init__(self, secret: str, take: Callable[[SlackObject], Awaitable[BoltResponse]]) -> None:
        self._secret = secret
        self._take = take

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        return [web.post(PATH, self.receive)]

    async def receive(self, request: web.Request) -> web.Response:
        body = await read_body(request)
        stamps = request.headers.getall("X-Slack-Request-Timestamp", [])
        signatures = request.headers.getall("X-Slack-Signature", [])
        if not is_signed(self._secret, stamps, signatures, body, time.time()):
            log.info("slack_webhook_rejected", size_bytes=len(body))
            return web.json_response({"error": "the signature is not Slack's"}, status=401)
        try:
            payload = parse_body(body, request.content_type)
        except BadRequest as error:
            log.info("slack_webhook_malformed", size_bytes=len(body), problem=error.message)
            return web.json_response({"error": error.message}, status=400)
        if payload.get("type") == "url_verification":
            return web.json_response({"challenge": get_text(payload, "challenge")})
        return build_response(await self._take(payload))


async def read_body(request: web.Request) -> bytes:
    """Raises HTTPException: 413 above the server's `client_max_size`, 400 for a body that breaks off."""
    try:
        return await request.read()
    except web.RequestPayloadError as exc:
        raise web.HTTPBadRequest from exc


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """The header X-Slack-Signature: https://docs.slack.dev/authentication/verifying-requests-from-slack/"""
    basis = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), basis, hashlib.sha256).hexdigest()


def is_signed(secret: str, timestamps: Sequence[str], signatures: Sequence[str], body: bytes, now_s: float) -> bool:
    """Checks that Slack signed the body in the last 5 minutes. Total, and in constant time for one body.

    The arguments are all headers of their name: Slack sends one each. The SDK's verifier raises on timestamps that are
    not numbers, on signatures that are not ASCII, and on bodies that are not UTF-8.
    """
    if len(timestamps) != 1 or len(signatures) != 1 or not TIMESTAMP.fullmatch(timestamps[0]):
        return False
    if abs(now_s - int(timestamps[0])) > SIGNATURE_AGE_LIMIT_S:
        return False
    expected = sign(secret, timestamps[0], body).encode()
    return hmac.compare_digest(expected, signatures[0].encode("utf-8", "surrogatepass"))


def parse_body(body: bytes, content_type: str) -> SlackObject:
    """Parses an event, a slash command or a press of a button. Raises BadRequest."""
    raw: bytes | str = body
    if content_type != "application/json":
        form = parse_form(body)
        if "command" in form or "payload" not in form:
            return check_type(form)
        raw = form["payload"]
    payload = strict_json.parse(raw, last_wins=True)
    if not isinstance(payload, dict):
        raise BadRequest("the body must be a JSON object")
    return check_type(payload)


def parse_form(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=FIELDS_LIMIT
        )
    except ValueError as exc:  # includes UnicodeDecodeError
        raise BadRequest("the body is not a form") from exc
    form = dict(pairs)
    for value in form.values():
        strict_json.check_text(value)
    return form


def check_type(payload: SlackObject) -> SlackObject:
    """Raises BadRequest if the payload, or its event, has no type."""
    if not get_text(payload, "command") and not get_text(payload, "type"):
        raise BadRequest("the body has no type")
    if payload.get("type") == "event_callback" and not get_text(get_object(payload, "event"), "type"):
        raise BadRequest("the event has no type")
    return payload


def build_response(response: BoltResponse) -> web.Response:
    """Converts bolt's response. Its 404, for a type of delivery without a listener, becomes 400."""
    status = 400 if response.status == 404 else response.status
    headers = {"Retry-After": str(RETRY_AFTER_S)} if status == 503 else {}
    content_type = response.headers.get("content-type", ["text/plain"])[0].partition(";")[0]
    return web.Response(status=status, text=response.body or "", content_type=content_type, headers=headers)
