"""Reads an engine's HTTP responses, and translates their failures into `core.errors`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress

import httpx

from core.errors import EngineFailed, ModelUnavailable
from core.openai.chat_protocol import RETRY_AFTER_S, Fields, error_from_response
from core.runtime.network_errors import explain

DRAIN_S = 1.0  # the wait for the connection's own end after a whole answer
ERROR_BODY_LIMIT_BYTES = 2**16


@contextmanager
def translate_errors() -> Iterator[None]:
    try:
        yield
    except httpx.RequestError as exc:
        raise ModelUnavailable(f"the model cannot be reached: {explain(exc)}", retry_after_s=RETRY_AFTER_S) from exc


async def raise_for_error(response: httpx.Response) -> None:
    if response.status_code != 200:
        refusal = await read_error_body(response)
        raise error_from_response(response.status_code, refusal, response.headers.get("retry-after"))


async def read_error_body(response: httpx.Response) -> bytes:
    """The start of the body, up to ERROR_BODY_LIMIT_BYTES."""
    body = b""
    async for chunk in response.aiter_bytes():
        body = (body + chunk)[:ERROR_BODY_LIMIT_BYTES]
        if len(body) == ERROR_BODY_LIMIT_BYTES:
            break
    return body


async def parse_object(response: httpx.Response) -> Fields:
    await raise_for_error(response)
    try:
        data = response.json()
    except ValueError as exc:
        raise EngineFailed(f"the answer of {response.request.url.path} is not JSON") from exc
    return data if isinstance(data, dict) else {}


async def drain(chunks: AsyncIterator[bytes]) -> None:
    """Waits up to DRAIN_S for the connection's own end, so that it can be used again."""
    with suppress(TimeoutError, httpx.TransportError):
        async with asyncio.timeout(DRAIN_S):
            async for _ in chunks:
                pass
