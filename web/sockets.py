"""GET /gpt-socket: accepts a WebSocket, chooses its dialect, and closes it. `web.socket_conversation` answers on it."""

from __future__ import annotations

import asyncio

from aiohttp import web

from core.errors import BadRequest
from web.identity.caller import find_names
from web.problems import UpgradeRequired
from web.running_answers import RUNNING_ANSWERS
from web.service import SERVICE, Service
from web.socket_conversation import Client, SocketConversation
from web.socket_frames import SUBPROTOCOL, Dialect, PlainDialect, V1Dialect
from web.streaming import reset
from web.visitor import find_owner

SOCKET = web.RequestKey("socket", web.WebSocketResponse)


async def gpt_socket(request: web.Request) -> web.WebSocketResponse:
    """GET /gpt-socket/<personality>. Refuses before the upgrade where it can, so that the client gets a status."""
    service = request.app[SERVICE]
    personality = service.check_personality(request.match_info["personality"], find_names(request))
    dialect = negotiate(request)
    socket = build_socket(service)
    if not socket.can_prepare(request):
        raise UpgradeRequired("this is a WebSocket endpoint: connect with a WebSocket client")
    await socket.prepare(request)
    request[SOCKET] = socket
    client = Client(service.user_id(request), find_owner(request), find_names(request))
    try:
        await SocketConversation(service, request.app[RUNNING_ANSWERS], socket, dialect, personality, client).run()
    finally:
        transport = request.transport
        if isinstance(transport, asyncio.Transport) and transport.get_write_buffer_size():
            reset(transport)  # closing would wait for a client that takes no data
    return socket


def build_socket(service: Service) -> web.WebSocketResponse:
    return web.WebSocketResponse(
        protocols=(SUBPROTOCOL,),
        heartbeat=service.limits.heartbeat_s,
        timeout=service.limits.close_timeout_s,
        max_msg_size=service.settings.body_limit_bytes,
        compress=False,  # frames of a few letters do not shrink
        writer_limit=0,  # each frame waits for a slow client
    )


def negotiate(request: web.Request) -> Dialect:
    offered = [name.strip() for name in ",".join(request.headers.getall("Sec-WebSocket-Protocol", [])).split(",")]
    if SUBPROTOCOL in offered:
        return V1Dialect()
    if any(offered):
        raise BadRequest(f"the only subprotocol is {SUBPROTOCOL}; offer none for plain text")
    return PlainDialect()
