"""OpenAI's own fields that some engines refuse, and the bodies without them. Pure.

OpenAI's newer models take `max_completion_tokens` only, and no sampling. Older versions of Azure's API and some
gateways refuse `stream_options`; their answers then have no usage.
"""

from __future__ import annotations

import json
from dataclasses import replace

from core.openai.chat_protocol import UNKNOWN_FIELD_STATUSES, Fields, error_object, refuses_extensions
from core.openai.dialects import EngineCapabilities

RENAMED = {"max_tokens": "max_completion_tokens"}
SAMPLING = ("temperature", "top_p", "stop", "seed", "frequency_penalty", "presence_penalty")
UNSUPPORTED_CODES = ("unsupported_parameter", "unsupported_value")
NOT_SUPPORTED = (b"nsupported", b"not supported", b"nrecognized")
STREAM_OPTIONS = "stream_options"


def learn_refusal(
    capabilities: EngineCapabilities, status: int, refusal: bytes, body: Fields
) -> EngineCapabilities | None:
    """The capabilities of an engine that refused `body` so. None: the refusal is of another kind."""
    if status not in UNKNOWN_FIELD_STATUSES:
        return None
    if field := refused_field(refusal, body):
        return replace(capabilities, refused=(*capabilities.refused, field))
    return replace(capabilities, extensions=False) if refuses_extensions(status, refusal, body) else None


def refused_field(refusal: bytes, body: Fields) -> str | None:
    """The field of OpenAI's that a refusal names."""
    if "max_tokens" in body and b"max_completion_tokens" in refusal and any(word in refusal for word in NOT_SUPPORTED):
        return "max_tokens"
    if STREAM_OPTIONS in body and STREAM_OPTIONS.encode() in refusal:
        return STREAM_OPTIONS
    try:
        error = error_object(json.loads(refusal))
    except (ValueError, RecursionError):
        return None
    field = error.get("param")
    is_sampling = error.get("code") in UNSUPPORTED_CODES and field in SAMPLING and field in body
    return field if is_sampling and isinstance(field, str) else None


def without_refused(body: Fields, refused: tuple[str, ...]) -> Fields:
    """The body without these fields, or with their newer names."""
    renamed = {RENAMED[name]: body[name] for name in refused if name in RENAMED and name in body}
    return {**{name: value for name, value in body.items() if name not in refused}, **renamed}
