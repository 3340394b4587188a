"""OpenAI's Agents SDK, over responses (its default) and over chat completions."""

from __future__ import annotations

import os
from typing import Any

from abilities import show
from agents import (
    Agent,
    MaxTurnsExceeded,
    ModelSettings,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    Runner,
    function_tool,
    set_tracing_disabled,
)
from openai import AsyncOpenAI
from tickets import QUESTION, REQUEST, WEATHER, Ticket
from tickets import weather as look

set_tracing_disabled(True)  # traces would go to OpenAI
client = AsyncOpenAI(base_url=os.environ["OPENAI_BASE_URL"], api_key=os.environ["OPENAI_API_KEY"])
responses_model = OpenAIResponsesModel("whisper", openai_client=client)
chat_model = OpenAIChatCompletionsModel("whisper", openai_client=client)
SHORT = ModelSettings(max_tokens=64)


async def answer(model: Any) -> Any:
    run = await Runner.run(
        Agent("Whisper", instructions="Answer briefly.", model=model, model_settings=SHORT), QUESTION
    )
    return {"text": run.final_output}


async def answer_streamed(model: Any) -> Any:
    run = Runner.run_streamed(Agent("Whisper", model=model, model_settings=SHORT), QUESTION)
    pieces = [
        event.data.delta
        async for event in run.stream_events()
        if event.type == "raw_response_event" and event.data.type == "response.output_text.delta"
    ]
    return {"pieces": pieces, "text": run.final_output}


async def answer_typed(model: Any) -> Any:
    run = await Runner.run(Agent("Desk", model=model, output_type=Ticket), REQUEST)
    return {"value": run.final_output.model_dump()}


async def answer_with_tool(model: Any) -> Any:
    """`required` holds for the first turn; then the agent chooses. The turns are limited."""
    cities: list[str] = []

    @function_tool
    def weather(city: str) -> str:
        """Tells the current weather in a city."""
        cities.append(city)
        return look(city)

    settings = ModelSettings(max_tokens=64, tool_choice="required")
    agent = Agent("Weather", model=model, tools=[weather], model_settings=settings)
    try:
        run = await Runner.run(agent, WEATHER, max_turns=4)
    except MaxTurnsExceeded:
        return {"cities": cities, "text": None}
    return {"cities": cities, "text": run.final_output}


async def chat() -> Any:
    return await answer(chat_model)


async def stream() -> Any:
    return await answer_streamed(chat_model)


async def structured() -> Any:
    return await answer_typed(chat_model)


async def agent() -> Any:
    return await answer_with_tool(chat_model)


async def responses() -> Any:
    return await answer(responses_model)


async def responses_stream() -> Any:
    return await answer_streamed(responses_model)


async def responses_structured() -> Any:
    return await answer_typed(responses_model)


async def responses_agent() -> Any:
    return await answer_with_tool(responses_model)


if __name__ == "__main__":
    show(
        *("openai-agents", chat, stream, structured, agent),
        *(responses, responses_stream, responses_structured, responses_agent),
    )
