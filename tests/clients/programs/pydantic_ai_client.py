"""Pydantic AI: agents with typed output and tools, over chat completions and over responses."""

from __future__ import annotations

import os
from typing import Any

from abilities import show
from pydantic_ai import Agent, NativeOutput, PromptedOutput, UsageLimits
from pydantic_ai.exceptions import UnexpectedModelBehavior, UsageLimitExceeded
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider
from tickets import QUESTION, REQUEST, WEATHER, Ticket, weather

provider = OpenAIProvider(base_url=os.environ["OPENAI_BASE_URL"], api_key=os.environ["OPENAI_API_KEY"])
model = OpenAIChatModel("whisper", provider=provider)
responses_model = OpenAIResponsesModel("whisper", provider=provider)
SHORT: Any = {"max_tokens": 64}


async def chat() -> Any:
    run = await Agent(model, instructions="Answer briefly.", model_settings=SHORT).run(QUESTION)
    return {"text": run.output, "usage": {"total_tokens": run.usage.total_tokens}}


async def stream() -> Any:
    async with Agent(model, model_settings=SHORT).run_stream(QUESTION) as run:
        pieces = [piece async for piece in run.stream_text(delta=True, debounce_by=None)]
        return {"pieces": pieces, "text": await run.get_output()}


async def structured() -> Any:
    """`response_format` with the model's schema."""
    run = await Agent(model, output_type=NativeOutput(Ticket)).run(REQUEST)
    return {"value": run.output.model_dump()}


async def structured_stream() -> Any:
    async with Agent(model, output_type=NativeOutput(Ticket)).run_stream(REQUEST) as run:
        snapshots = [part async for part in run.stream_output(debounce_by=None)]
    return {"snapshots": len(snapshots), "value": snapshots[-1].model_dump()}


async def prompted() -> Any:
    """The schema is in the prompt; the request wants a JSON object."""
    try:
        run = await Agent(model, output_type=PromptedOutput(Ticket), retries=0).run(REQUEST)
    except UnexpectedModelBehavior as error:
        return {"gave_up": type(error.__cause__ or error).__name__}
    return {"value": run.output.model_dump()}


async def tools() -> Any:
    """The default: an output type is the arguments of a tool that must be called."""
    run = await Agent(model, output_type=Ticket).run(REQUEST)
    return {"value": run.output.model_dump()}


async def agent() -> Any:
    """The model calls the tool, or answers; a run that calls again and again ends at its limit."""
    calls: list[str] = []
    asking = Agent(model, model_settings=SHORT)

    @asking.tool_plain(name="weather")
    def look(city: str) -> str:
        """Tells the current weather in a city."""
        calls.append(city)
        return weather(city)

    try:
        run = await asking.run(WEATHER, usage_limits=UsageLimits(request_limit=4))
    except UsageLimitExceeded:
        return {"cities": calls, "text": None}
    return {"cities": calls, "text": run.output}


async def responses() -> Any:
    run = await Agent(responses_model, instructions="Answer briefly.", model_settings=SHORT).run(QUESTION)
    return {"text": run.output}


async def responses_stream() -> Any:
    async with Agent(responses_model, model_settings=SHORT).run_stream(QUESTION) as run:
        pieces = [piece async for piece in run.stream_text(delta=True, debounce_by=None)]
        return {"pieces": pieces, "text": await run.get_output()}


async def responses_structured() -> Any:
    run = await Agent(responses_model, output_type=NativeOutput(Ticket)).run(REQUEST)
    return {"value": run.output.model_dump()}


async def responses_tools() -> Any:
    run = await Agent(responses_model, output_type=Ticket).run(REQUEST)
    return {"value": run.output.model_dump()}


if __name__ == "__main__":
    show(
        *("pydantic-ai-slim", chat, stream, structured, structured_stream, prompted, tools, agent),
        *(responses, responses_stream, responses_structured, responses_tools),
    )
