"""/toil: a prompt and a JSON Schema in, the conforming value out. Errors are JSON too."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import asdict, replace

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from core import strict_json
from core.contract import Json, KeywordReport, Masked, Status, Task, Text, TextDiscarded, ToilEvent
from core.conversation.sessions import require_issued_id
from core.errors import CspsError
from core.toil.request import ToilFields
from core.toil.schema.drafts import Schema
from web import request_body
from web.identity.caller import find_names
from web.masked import HEADER, encode_found, header_value
from web.problems import problem_details
from web.service import RECEIPT_HEADER, SERVICE, Service
from web.streaming import SSE, StreamedResponse
from web.visitor import find_owner

REPORT_FIELDS = ("path", "keyword", "outcome", "why")
REPORT_BYTES = 100  # about


class ToilRequest(ToilFields):
    session: str | None = Field(default=None, max_length=512)
    stream: bool = False


class CheckRequest(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    json_schema: Schema = Field(alias="schema")


async def toil(request: web.Request) -> web.StreamResponse:
    """POST /toil/<personality>."""
    service = request.app[SERVICE]
    personality = service.check_personality(request.match_info["personality"], find_names(request))
    fields = await request_body.read_json(request, ToilRequest)
    conversation = None if fields.session is None else require_issued_id(fields.session)
    task = fields.build_task(personality, service.user_id(request))
    task = replace(
        task, conversation=conversation, owner=find_owner(request), channel="toil", names=find_names(request)
    )
    if fields.stream:
        return await stream(request, service, task)
    toiled = await service.toil(task)
    headers = {HEADER: header_value(toiled.masked)} if toiled.masked else {}
    headers |= {RECEIPT_HEADER: toiled.receipt} if toiled.receipt else {}
    return web.Response(body=strict_json.dump(toiled.value), content_type="application/json", headers=headers)


async def check(request: web.Request) -> web.Response:
    """POST /toil/<personality>/check: reports for each keyword of a schema how it is enforced. Asks no model."""
    service = request.app[SERVICE]
    service.check_personality(request.match_info["personality"], find_names(request))
    fields = await request_body.read_json(request, CheckRequest)
    reports = await service.engine.check_schema(fields.json_schema)
    body = await request_body.parse_large(request, len(reports) * REPORT_BYTES, lambda: encode_reports(reports))
    return web.Response(body=body, content_type="application/json")


def encode_reports(reports: Sequence[KeywordReport]) -> bytes:
    refused = any(report.outcome == "refused" for report in reports)
    keywords: list[Json] = [{name: getattr(report, name) for name in REPORT_FIELDS} for report in reports]
    return strict_json.dump({"accepted": not refused, "keywords": keywords})


async def stream(request: web.Request, service: Service, task: Task) -> web.StreamResponse:
    """Sends the text while it is generated, then the validated value. An error before the first event has a status."""
    out = StreamedResponse(request, SSE)
    try:
        async with aclosing(service.toil_events(task)) as events:
            async for event in events:
                await out.write(sse(*encode_event(event)))
    except CspsError as exc:
        if not out.started:
            raise
        await out.write(sse("error", problem_details(exc, exc.status)))
    await out.response.write_eof()
    return out.response


def encode_event(event: ToilEvent) -> tuple[str, Json]:
    """The name and data of an event, as sent."""
    if isinstance(event, Text):
        return "text", {"text": event.text}
    if isinstance(event, TextDiscarded):
        return "again", {}
    if isinstance(event, Masked):
        return "masked", {"kinds": encode_found(event.found)}
    if isinstance(event, Status):
        return "status", {key: value for key, value in asdict(event).items() if value is not None}
    return "value", {
        "value": event.value,
        "model": event.model,
        "usage": asdict(event.usage),
        "receipt": event.receipt,
    }


def sse(name: str, data: Json) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode("utf-8", "replace")
