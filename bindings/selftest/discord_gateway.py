"""The gateway of the fake Discord: identifies and resumes sessions of one shard or several, and sends events.

It keeps the events of each shard, and replays missed ones to a client that resumes.
"""

from __future__ import annotations

import json
from collections import defaultdict

from aiohttp import WSMsgType, web

from bindings.selftest.changes import Changes
from bindings.selftest.discord_payloads import RawPayload, payload


class FakeGateway(Changes):
    def __init__(self) -> None:
        super().__init__()
        self.recommended_shards = 1
        self.refuse_gateways = 0  # the number of next connections that get 503
        self.close_codes: list[int] = []  # of the next connections, after they identify
        self.identify_frames: list[RawPayload] = []
        self.resume_frames: list[RawPayload] = []
        self._events: defaultdict[int, list[tuple[str, RawPayload]]] = defaultdict(list)  # by shard
        self._sockets: dict[int, web.WebSocketResponse] = {}

    async def emit(self, kind: str, data: RawPayload, shard: int = 0) -> None:
        """Sends an event. Without a connection it is kept for a client that resumes."""
        self._events[shard].append((kind, data))
        socket = self._sockets.get(shard)
        if socket is not None and not socket.closed:
            await self._send_event(socket, shard, len(self._events[shard]))

    async def disconnect(self, code: int = 4000, shard: int = 0) -> None:
        await self._sockets[shard].close(code=code)

    def forget_sessions(self) -> None:
        self._events.clear()

    async def send_raw(self, text: str, shard: int = 0) -> None:
        await self._sockets[shard].send_str(text)

    async def serve_gateway(self, request: web.Request) -> web.StreamResponse:
        if self.refuse_gateways > 0:
            self.refuse_gateways -= 1
            raise web.HTTPServiceUnavailable
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"op": 10, "d": {"heartbeat_interval": 41250}, "s": None, "t": None})
        async for frame in socket:
            if frame.type == WSMsgType.TEXT:
                await self._receive(socket, json.loads(frame.data))
        return socket

    async def _receive(self, socket: web.WebSocketResponse, frame: RawPayload) -> None:
        match frame["op"]:
            case 1:
                await socket.send_json({"op": 11, "d": None, "s": None, "t": None})
            case 2:
                await self._identify(socket, frame["d"])
            case 6:
                await self._resume(socket, frame["d"])
        self.notify()

    async def _identify(self, socket: web.WebSocketResponse, data: RawPayload) -> None:
        self.identify_frames.append(data)
        if self.close_codes:
            await socket.close(code=self.close_codes.pop(0))
            return
        shard, _ = data.get("shard") or (0, 1)
        self._sockets[shard] = socket
        # The payload's resume URL is Discord's own; the bot must use the configured address instead.
        ready = payload("ready", session_id=session_name(shard))
        self._events[shard] = [("READY", ready), ("GUILD_CREATE", payload("guild_create"))]
        for number in (1, 2):
            await self._send_event(socket, shard, number)

    async def _resume(self, socket: web.WebSocketResponse, data: RawPayload) -> None:
        shard = next((each for each, events in self._events.items() if events and is_session(data, each)), None)
        if shard is None:
            await socket.send_json({"op": 9, "d": False, "s": None, "t": None})
            return
        self.resume_frames.append(data)
        self._sockets[shard] = socket
        events = self._events[shard]
        for number in range(data["seq"] + 1, len(events) + 1):
            await self._send_event(socket, shard, number)
        await socket.send_json({"op": 0, "t": "RESUMED", "s": len(events), "d": {}})

    async def _send_event(self, socket: web.WebSocketResponse, shard: int, number: int) -> None:
        kind, data = self._events[shard][number - 1]
        await socket.send_json({"op": 0, "t": kind, "s": number, "d": data})


def session_name(shard: int) -> str:
    own = str(payload("ready")["session_id"])
    return f"{own}-{shard}" if shard else own


def is_session(resume: RawPayload, shard: int) -> bool:
    return bool(resume["session_id"] == session_name(shard))
