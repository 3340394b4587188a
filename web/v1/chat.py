"""POST /v1/chat/completions."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from aiohttp import web

from core.contract import Text
from core.errors import CspsError
from core.openai import sse
from core.openai.public.chat_requests import Chat, PublicChatRequest, build_chat
from core.openai.public.completions import Citations, CompletionPart, collect_completion, stream_completion
from core.openai.response_objects import Completion, error_body
from web import request_body
from web.service import SERVICE
from web.streaming import SSE, StreamedResponse


async def chat_completions(request: web.Request) -> web.StreamResponse:
    """POST /v1/chat/completions."""
    service = request.app[SERVICE]
    chat = build_chat(await request_body.read_json(request, PublicChatRequest))
    service.check_personality(chat.personality)
    completion = Completion(chat.personality)
    async with aclosing(stream_completion(service, chat, service.user_id(request, chat.user))) as pieces:
        if chat.stream:
            return await stream(request, chat, completion, pieces)
        answer, _ = await collect_completion(completion, pieces)
        return web.json_response(answer)


async def stream(
    request: web.Request, chat: Chat, completion: Completion, pieces: AsyncGenerator[CompletionPart, None]
) -> web.StreamResponse:
    out = StreamedResponse(request, SSE)
    try:
        async for piece in pieces:
            if not out.started:
                await out.write(sse.encode_event(completion.chunk({"role": "assistant", "content": ""})))
            if isinstance(piece, Text):
                await out.write(sse.encode_event(completion.chunk({"content": piece.text})))
            elif isinstance(piece, Citations):
                # All in one chunk: OpenAI's own client does not merge lists of annotations.
                await out.write(sse.encode_event(completion.chunk({"annotations": piece.annotations})))
            else:
                await out.write(sse.encode_event(completion.chunk({}, piece.reason)))
                if chat.include_usage:
                    await out.write(sse.encode_event(completion.usage(piece.usage)))
    except CspsError as error:
        if not out.started:
            raise
        request.app[SERVICE].metrics.count_error(error)
        await out.write(sse.encode_event(error_body(error)))
    else:
        await out.write(sse.encode_done())
    return out.response
