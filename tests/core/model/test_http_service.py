"""The servers of the model process refuse in OpenAI's form."""

from __future__ import annotations

import asyncio
import json

import pytest
from aiohttp import web

from core.errors import BadRequest, ConfigError
from core.model.http_service import VALUES_LIMIT, parse_json, refusal_response
from core.runtime.http_server import serve_app


async def test_a_malformed_request_gets_an_error_object() -> None:
    """A client of OpenAI's API reads it as any other error."""
    async with serve_app(
        web.Application(),
        lambda runner: web.TCPSite(runner, "127.0.0.1", 0),
        lambda exc: ConfigError(str(exc)),
        refusal_response,
    ) as site:
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        writer.write(b"nonsense\r\n\r\n")
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
    assert b"400" in head
    assert json.loads(body)["error"]["type"] == "invalid_request_error"


def test_a_body_of_many_values_is_not_parsed() -> None:
    """Eight megabytes may hold two million lists; the host would answer nobody else meanwhile."""
    with pytest.raises(BadRequest, match="values"):
        parse_json(b"[" + b"[]," * VALUES_LIMIT + b"[]]")
    assert parse_json(b"[1, 2]") == [1, 2]
