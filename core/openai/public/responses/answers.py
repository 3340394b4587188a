"""Answers a Responses request: the parts of its answer, and the whole response."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from core.contract import Done, Masked, ToolsChosen, Usage
from core.openai.public.chat_requests import Chat
from core.openai.public.completions import CompletionEngine, CompletionPart, stream_completion
from core.openai.public.responses.events import ResponseEvents
from core.openai.public.responses.objects import JsonObject
from core.openai.public.responses.requests import PublicResponseRequest
from core.openai.public.responses.untrimmed_engine import UntrimmedEngine


def response_parts(
    engine: CompletionEngine, request: PublicResponseRequest, chat: Chat, user: str
) -> AsyncGenerator[CompletionPart, None]:
    """Yields the answer to `chat`, which was built from `request`."""
    return stream_completion(UntrimmedEngine(engine) if request.truncation == "disabled" else engine, chat, user)


async def collect_response(
    events: ResponseEvents, parts: AsyncGenerator[CompletionPart, None]
) -> tuple[JsonObject, Usage]:
    """Returns the whole response, which the last event contains, and its usage."""
    async for part in parts:
        if isinstance(part, Masked):
            continue  # the object has no field for it
        *_, last = events.feed(part)
        if isinstance(part, Done | ToolsChosen):
            response = last["response"]
            assert isinstance(response, dict)
            return response, part.usage
    raise AssertionError("an answer ends with Done, ToolsChosen or an exception")
