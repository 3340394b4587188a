"""Reads and strictly parses request bodies, within a deadline and a size limit. Knows no endpoint."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeVar
from urllib.parse import parse_qsl

from aiohttp import web
from pydantic import BaseModel, ValidationError

from core import strict_json
from core.contract import Json
from core.errors import BadRequest, ParameterRefused
from core.request_validation import to_parameter_refused
from web.problems import BodyTimeout, BodyTooLarge, MediaTypeRefused
from web.service import SERVICE

Model = TypeVar("Model", bound=BaseModel)
Result = TypeVar("Result")
FIELDS_LIMIT = 32
KEYS_LIMIT = 256  # of a body; pydantic would describe each key that it does not know
NO_DEFAULTS: Mapping[str, Json] = MappingProxyType({})


async def read(request: web.Request, media_type: str) -> bytes:
    """The whole body. Raises MediaTypeRefused, BodyTooLarge, BodyTimeout, BadRequest."""
    settings = request.app[SERVICE].settings
    check_media_type(request, media_type)
    return await read_bytes(request, settings.body_limit_bytes, settings.read_timeout_s)


async def read_bytes(request: web.Request, limit_bytes: int, timeout_s: float) -> bytes:
    """The whole body, of any media type. Raises BodyTooLarge, BodyTimeout, BadRequest."""
    too_large = BodyTooLarge(f"the body may have at most {limit_bytes} bytes")
    if (request.content_length or 0) > limit_bytes:
        raise too_large
    try:
        async with asyncio.timeout(timeout_s):
            # The application's own limit is the smallest; only a clone of the request can have another.
            return await request.clone(client_max_size=limit_bytes).read()
    except TimeoutError as exc:
        raise BodyTimeout(f"the body did not arrive within {timeout_s:g} s") from exc
    except web.HTTPRequestEntityTooLarge as exc:
        raise too_large from exc
    except web.RequestPayloadError as exc:
        raise BadRequest("the body is not well-formed HTTP") from exc


def check_media_type(request: web.Request, media_type: str) -> None:
    """Raises MediaTypeRefused."""
    if request.content_type != media_type or "Content-Type" not in request.headers:
        raise MediaTypeRefused(f"send Content-Type: {media_type}")
    check_uncompressed(request)


def check_uncompressed(request: web.Request) -> None:
    """Raises MediaTypeRefused."""
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise MediaTypeRefused("send the body uncompressed")


async def read_json(request: web.Request, model: type[Model], defaults: Mapping[str, Json] = NO_DEFAULTS) -> Model:
    """The body as a `model`; `defaults` stand for missing keys. Raises BadRequest or a subclass, with the wrong key."""
    raw = await read(request, "application/json")
    return await parse_large(request, len(raw), lambda: parse_model(raw, model, defaults))


async def parse_large(request: web.Request, size: int, work: Callable[[], Result]) -> Result:
    """Returns the result of `work` on an input of `size` bytes, in a thread if that is large. Raises Overloaded."""
    service = request.app[SERVICE]
    return await service.large_inputs.run(service.user_id(request), size, work)


def parse_model(raw: bytes, model: type[Model], defaults: Mapping[str, Json]) -> Model:
    value = strict_json.parse(raw)
    if not isinstance(value, dict):
        raise BadRequest("the body must be a JSON object")
    if len(value) > KEYS_LIMIT:
        raise BadRequest(f"the body may have at most {KEYS_LIMIT} keys")
    try:
        return model.model_validate({**defaults, **value})
    except ValidationError as exc:
        raise to_parameter_refused(exc, value) from exc


def decode_utf8(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise BadRequest("the body is not valid UTF-8") from exc


def parse_form_field(encoded: str, name: str) -> str:
    """The only value of `name` in URL-encoded text; "" if it is absent."""
    try:
        fields = parse_qsl(encoded, keep_blank_values=True, errors="strict", max_num_fields=FIELDS_LIMIT)
    except UnicodeDecodeError as exc:
        raise BadRequest("the parameters are not URL-encoded UTF-8") from exc
    except ValueError as exc:
        raise BadRequest(f"at most {FIELDS_LIMIT} parameters") from exc
    values = [value for key, value in fields if key == name]
    if len(values) > 1:
        raise ParameterRefused(f"`{name}` is given more than once", name)
    for value in values:
        strict_json.check_text(value)
    return values[0] if values else ""
