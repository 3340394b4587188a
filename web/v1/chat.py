"""POST /v1/chat/completions."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace

from aiohttp import web

from core.errors import CspsError
from core.openai import sse
from core.openai.public.chat_requests import Chat, PublicChatRequest, build_chat
from core.openai.public.choices import (
    ChoicePart,
    ChoiceParts,
    ChunkBuilder,
    answer_choices,
    build_completion,
    collect_completion,
)
from core.openai.public.completions import CompletionPart
from core.openai.response_objects import error_body
from web import request_body
from web.file_upload import FileUpload
from web.heartbeat import HEARTBEAT, with_heartbeats
from web.identity.caller import find_names
from web.masked import report_masked
from web.service import SERVICE
from web.streaming import SSE, StreamedResponse
from web.v1.azure import path_model

IGNORED_HEADER = "X-Ignored-Parameters"


class ChatEndpoint:
    """POST /v1/chat/completions. `files`: bounds the files that are read at once."""

    def __init__(self, files: FileUpload) -> None:
        self._files = files

    async def create(self, request: web.Request) -> web.StreamResponse:
        """POST /v1/chat/completions."""
        service = request.app[SERVICE]
        body = await request_body.read_json(request, PublicChatRequest, path_model(request))
        chat = build_chat(body)
        names = find_names(request)
        service.check_personality(chat.personality, names)
        user = service.user_id(request, chat.user)
        chat = replace(chat, attachments=await self._files.read_all(service, body.files, user), names=names)
        completion, headers = build_completion(chat), ignored_header(chat)
        answers = answer_choices(service, chat, user)
        if chat.stream:
            out = StreamedResponse(request, {**SSE, **headers})
            async with aclosing(report_masked(answers, out.response.headers, choice_event)) as parts:
                return await stream(request, ChunkBuilder(completion, include_usage=chat.include_usage), parts, out)
        async with aclosing(report_masked(answers, headers, choice_event)) as parts:
            answer, _ = await collect_completion(completion, parts)
        return web.json_response(answer, headers=headers)


def choice_event(choice: ChoicePart) -> CompletionPart:
    return choice.part


def ignored_header(chat: Chat) -> dict[str, str]:
    """Names the unknown parameters of a request, for its response."""
    return {IGNORED_HEADER: ", ".join(chat.ignored)} if chat.ignored else {}


async def stream(
    request: web.Request, builder: ChunkBuilder, parts: ChoiceParts, out: StreamedResponse
) -> web.StreamResponse:
    """Sends the chunks, and comments while there are none.

    An error before the first of them has a status; a later one is an event, without `[DONE]`.
    """
    try:
        async with aclosing(with_heartbeats(parts, request.app[SERVICE].limits.stream_heartbeat_s)) as beating:
            async for part in beating:
                if part is None:
                    await out.write(HEARTBEAT)
                    continue
                for chunk in builder.chunks(part):
                    await out.write(sse.encode_event(chunk))
    except CspsError as error:
        if not out.started:
            raise
        request.app[SERVICE].metrics.count_error(error)
        await out.write(sse.encode_event(error_body(error)))
    else:
        for chunk in builder.last_chunks():
            await out.write(sse.encode_event(chunk))
        await out.write(sse.encode_done())
    return out.response
