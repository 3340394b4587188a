"""Encodes server-sent events. Knows no HTTP. `core.openai.stream_reader` decodes them."""

from __future__ import annotations

import json

from core.contract import Json

CONTENT_TYPE = "text/event-stream; charset=utf-8"
DONE = "[DONE]"  # OpenAI's data of a stream's last event


def encode_event(data: Json, name: str = "") -> bytes:
    """Encodes an event; one without a `name` is what clients call a message."""
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(data)}\n\n".encode()


def encode_comment(text: str) -> bytes:
    """Encodes a line that ordinary clients skip."""
    return f": {text}\n\n".encode()


def encode_done() -> bytes:
    return f"data: {DONE}\n\n".encode()
