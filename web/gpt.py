"""/gpt: one prompt in, the answer as plain text while it is written. Each call is a conversation of its own."""

from __future__ import annotations

from aiohttp import web

from core.contract import Prompt, Text
from core.errors import ParameterRefused
from web import body
from web.service import SERVICE, asking
from web.streaming import Stream

FORM = "application/x-www-form-urlencoded"
HEADERS = {"Content-Type": "text/plain; charset=utf-8"}


async def gpt(request: web.Request) -> web.StreamResponse:
    """GET and POST /gpt/<personality>."""
    service = request.app[SERVICE]
    personality = service.personality(request.match_info["personality"])
    prompt = Prompt(personality, await question(request), user=service.user_of(request))
    stream = Stream(request, HEADERS)
    async with asking(service, prompt, text_alone=True) as events:
        async for event in events:
            if isinstance(event, Text) and event.text:
                await stream.write(event.text.encode())
    await stream.begin()
    return stream.response


async def question(request: web.Request) -> str:
    """The `prompt` of the query (GET) or of the body (POST)."""
    if request.method == "GET":
        encoded = request.raw_path.partition("?")[2]
    else:
        encoded = body.utf8(await body.read(request, FORM))
    prompt = body.form_field(encoded, "prompt")
    if not prompt.strip():
        raise ParameterRefused("send what you want to ask as the URL-encoded parameter `prompt`", "prompt")
    return prompt
