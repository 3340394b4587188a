"""Slack's own requests to an app: their signature, headers and form."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"  # noqa: S105


def headers_for(body: bytes, content_type: str = "application/json", at: float | None = None) -> dict[str, str]:
    """The headers of Slack's own requests."""
    stamp = str(int(time.time() if at is None else at))
    return {
        "Content-Type": content_type,
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": sign(SECRET, stamp, body),
    }


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """Signs a request. Source: https://docs.slack.dev/authentication/verifying-requests-from-slack."""
    signed = b"v0:" + timestamp.encode() + b":" + body
    return f"v0={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


def encode_form(payload: Mapping[str, Any]) -> bytes:
    """Encodes a press of a button, in its field `payload`, or a slash command."""
    fields = payload if "command" in payload else {"payload": json.dumps(payload)}
    return urlencode(fields).encode()
