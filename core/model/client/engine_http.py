"""HTTP to an engine behind a URL, over connections that it may close at any time."""

from __future__ import annotations

from typing import Any

import httpx
import structlog

log = structlog.get_logger()

CLOSED = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)


class EngineHttp(httpx.AsyncClient):
    """Sends a request again if the engine closes a kept connection instead of answering.

    An engine may close an idle connection at the moment at which the next request leaves (RFC 9112, section 9.5). A
    request that opened its own connection is sent once: an engine that dies of it must not get it again.
    """

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """Raises what httpx raises."""
        while True:
            connections_opened = list[str]()

            async def watch(event: str, _info: object, opened: list[str] = connections_opened) -> None:
                if event.startswith("connection.connect"):
                    opened.append(event)

            request.extensions = {**request.extensions, "trace": watch}
            try:
                return await super().send(request, **options)
            except CLOSED:
                if connections_opened:
                    raise
                log.info("engine_connection_was_closed", engine=request.url.netloc.decode())
