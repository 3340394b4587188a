"""Running an application on an address."""

from __future__ import annotations

import aiohttp
import pytest
from aiohttp import web

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


async def second_connection(port: int) -> None:
    async with aiohttp.ClientSession() as http:
        try:
            await http.get(f"http://127.0.0.1:{port}/")
        except aiohttp.ClientConnectorError as exc:
            raise exc.os_error from exc
