"""/gpt: one prompt in, the answer as streamed plain text out. Each call is a conversation of its own."""

from __future__ import annotations

from functools import partial

from aiohttp import web

from core.contract import Masked, Prompt, Text
from core.errors import ParameterRefused
from core.texts import masked_text
from web import request_body
from web.identity.caller import find_names
from web.masked import HEADER, header_value
from web.service import RECEIPT_HEADER, SERVICE, open_reply
from web.streaming import StreamedResponse

FORM = "application/x-www-form-urlencoded"
HEADERS = {"Content-Type": "text/plain; charset=utf-8"}


async def gpt(request: web.Request) -> web.StreamResponse:
    """GET and POST /gpt/<personality>."""
    service = request.app[SERVICE]
    personality = service.check_personality(request.match_info["personality"], find_names(request))
    prompt = Prompt(
        personality, await read_prompt(request), user=service.user_id(request), channel="web", names=find_names(request)
    )
    stream = StreamedResponse(request, {**HEADERS, RECEIPT_HEADER: prompt.receipt})
    async with open_reply(service, prompt, sources_in_text=True) as events:
        async for event in events:
            if isinstance(event, Masked):
                stream.response.headers[HEADER] = header_value(event.found)
                language = await service.language(personality) or "en"
                await stream.write(f"{masked_text(event.found, language)}\n\n".encode())
            elif isinstance(event, Text) and event.text:
                await stream.write(event.text.encode())
    await stream.start()
    return stream.response


async def read_prompt(request: web.Request) -> str:
    """The parameter `prompt` of the query (GET) or of the body (POST)."""
    if request.method == "GET":
        encoded = request.raw_path.partition("?")[2]
    else:
        encoded = request_body.decode_utf8(await request_body.read(request, FORM))
    parse = partial(request_body.parse_form_field, encoded, "prompt")
    prompt = await request_body.parse_large(request, len(encoded), parse)
    if not prompt.strip():
        raise ParameterRefused("send the question as the URL-encoded parameter `prompt`", "prompt")
    return prompt
