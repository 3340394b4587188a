"""/toil: a prompt and a JSON Schema in, the conforming value out. JSON in every case, also when it fails."""

from __future__ import annotations

import json
from contextlib import aclosing
from dataclasses import asdict, replace

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from core import strict_json
from core.contract import Json, Status, Task, Text, TextDiscarded, ToilEvent
from core.conversation.sessions import issued
from core.errors import CspsError
from core.toil.request import Schema, ToilFields
from web import body
from web.problems import problem
from web.service import SERVICE, Service
from web.streaming import Stream

SSE = {"Content-Type": "text/event-stream; charset=utf-8"}


class ToilRequest(ToilFields):
    session: str | None = Field(default=None, max_length=512)
    stream: bool = False


class CheckRequest(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    json_schema: Schema = Field(alias="schema")


async def toil(request: web.Request) -> web.StreamResponse:
    """POST /toil/<personality>."""
    service = request.app[SERVICE]
    personality = service.personality(request.match_info["personality"])
    asked = await body.read_json(request, ToilRequest)
    conversation = None if asked.session is None else issued(asked.session)
    task = replace(asked.build_task(personality, service.user_of(request)), conversation=conversation)
    if asked.stream:
        return await stream(request, service, task)
    toiled = await service.toil(task)
    return web.Response(body=strict_json.dump(toiled.value), content_type="application/json")


async def check(request: web.Request) -> web.Response:
    """POST /toil/<personality>/check: what becomes of each keyword of a schema. Asks no model."""
    service = request.app[SERVICE]
    service.personality(request.match_info["personality"])
    asked = await body.read_json(request, CheckRequest)
    notes = await service.engine.check_schema(asked.json_schema)
    refused = any(note.outcome == "refused" for note in notes)
    return web.json_response({"accepted": not refused, "keywords": [asdict(note) for note in notes]})


async def stream(request: web.Request, service: Service, task: Task) -> web.StreamResponse:
    """The text while it is written, and the checked value as the last event. Errors before the first are statuses."""
    out = Stream(request, SSE)
    try:
        async with aclosing(service.toil_events(task)) as events:
            async for event in events:
                await out.write(sse(*named(event)))
    except CspsError as exc:
        if not out.begun:
            raise
        await out.write(sse("error", problem(exc, exc.status)))
    await out.response.write_eof()
    return out.response


def named(event: ToilEvent) -> tuple[str, Json]:
    """An event's name and data on the wire."""
    if isinstance(event, Text):
        return "text", {"text": event.text}
    if isinstance(event, TextDiscarded):
        return "again", {}
    if isinstance(event, Status):
        return "status", {key: value for key, value in asdict(event).items() if value is not None}
    return "value", {"value": event.value, "model": event.model, "usage": asdict(event.usage)}


def sse(name: str, data: Json) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode("utf-8", "replace")
