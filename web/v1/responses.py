"""POST /v1/responses. Refuses the operations on stored responses: this service stores none."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from dataclasses import replace

from aiohttp import web

from core.errors import CspsError, NotFound
from core.openai import sse
from core.openai.public.completions import CompletionPart
from core.openai.public.responses.answers import collect_response, response_parts
from core.openai.public.responses.events import ResponseEvents
from core.openai.public.responses.objects import JsonObject, ResponseEnvelope
from core.openai.public.responses.requests import PublicResponseRequest, build_response_chat
from web import request_body
from web.file_upload import FileUpload
from web.heartbeat import HEARTBEAT, with_heartbeats
from web.identity.caller import find_names
from web.masked import report_masked
from web.service import SERVICE
from web.streaming import SSE, StreamedResponse
from web.v1.chat import ignored_header


class ResponsesEndpoint:
    """POST /v1/responses. `files`: bounds the files that are read at once."""

    def __init__(self, files: FileUpload) -> None:
        self._files = files

    async def create(self, request: web.Request) -> web.StreamResponse:
        """POST /v1/responses."""
        service = request.app[SERVICE]
        body = await request_body.read_json(request, PublicResponseRequest)
        chat = build_response_chat(body)
        names = find_names(request)
        service.check_personality(chat.personality, names)
        user = service.user_id(request, chat.user)
        chat = replace(chat, attachments=await self._files.read_all(service, body.files, user), names=names)
        envelope = ResponseEnvelope(body.echo(), f"resp_{chat.receipt}")
        events, headers = ResponseEvents(envelope), ignored_header(chat)
        answer_parts = response_parts(service, body, chat, user)
        if chat.stream:
            out = StreamedResponse(request, {**SSE, **headers})
            async with aclosing(report_masked(answer_parts, out.response.headers, part_event)) as parts:
                return await stream(request, events, parts, out)
        async with aclosing(report_masked(answer_parts, headers, part_event)) as parts:
            answer, _ = await collect_response(events, parts)
        return web.json_response(answer, headers=headers)


def part_event(part: CompletionPart) -> CompletionPart:
    return part


async def stream(
    request: web.Request, events: ResponseEvents, parts: AsyncGenerator[CompletionPart, None], out: StreamedResponse
) -> web.StreamResponse:
    """Sends the events, and comments while there are none. An error before the first of them has its own status."""
    every_s = request.app[SERVICE].limits.stream_heartbeat_s
    try:
        async with aclosing(with_heartbeats(parts, every_s)) as beating:
            async for part in beating:
                if not out.started:
                    await write(out, events.begin())
                if part is None:
                    await out.write(HEARTBEAT)
                else:
                    await write(out, events.feed(part))
    except CspsError as error:
        if not out.started:
            raise
        request.app[SERVICE].metrics.count_error(error)
        await write(out, events.fail(error))
    return out.response


async def write(out: StreamedResponse, events: Iterable[JsonObject]) -> None:
    for event in events:
        await out.write(sse.encode_event(event, str(event["type"])))


async def refuse_stored(_: web.Request) -> web.StreamResponse:
    raise NotFound("no such response: this service stores none; the answer to POST /v1/responses is all there is")


async def refuse_compaction(_: web.Request) -> web.StreamResponse:
    raise NotFound(
        "conversations are not compacted here: send them whole; the oldest exchanges are left out when they do not fit"
    )


async def refuse_counting(_: web.Request) -> web.StreamResponse:
    raise NotFound("tokens are not counted before an answer here: `usage.input_tokens` of the answer has their number")
