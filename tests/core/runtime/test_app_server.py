"""Running an application on an address."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from core.errors import ConfigError
from core.runtime.http_server import serve_app


def refused(exc: OSError) -> ConfigError:
    return ConfigError(f"errno {exc.errno}")


async def test_an_application_is_served_while_the_block_runs() -> None:
    """The site names the real port; a second server on that port gets the translated error."""
    async with serve_app(web.Application(), lambda runner: web.TCPSite(runner, "127.0.0.1", 0), refused) as site:
        async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{site.port}/") as response:
            assert response.status == 404
        second = serve_app(web.Application(), lambda runner: web.TCPSite(runner, "127.0.0.1", site.port), refused)
        with pytest.raises(ConfigError, match="errno 98"):
            await second.__aenter__()
    with pytest.raises(ConnectionRefusedError):
        await second_connection(site.port)


async def test_a_defect_of_a_handler_is_logged_as_an_error(caplog: pytest.LogCaptureFixture) -> None:
    """It keeps its traceback. A malformed request has one line with the kind of error and no text of the request."""

    async def broken(_request: web.Request) -> web.StreamResponse:
        raise KeyError("defect")

    app = web.Application()
    app.router.add_get("/", broken)
    with capture_logs() as logs:
        async with serve_app(app, lambda runner: web.TCPSite(runner, "127.0.0.1", 0), refused) as site:
            async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{site.port}/") as response:
                assert response.status == 500
            assert [record.exc_info and record.exc_info[0] for record in caplog.records] == [KeyError]
            reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
            writer.write(b"GET /?prompt=secret HTTP/x\r\n\r\n")
            assert b"400" in await reader.readline()
            writer.close()
    assert len(caplog.records) == 1
    assert [each["event"] for each in logs] == ["request_malformed"]
    assert "secret" not in str(logs)


async def second_connection(port: int) -> None:
    async with aiohttp.ClientSession() as http:
        try:
            await http.get(f"http://127.0.0.1:{port}/")
        except aiohttp.ClientConnectorError as exc:
            raise exc.os_error from exc
