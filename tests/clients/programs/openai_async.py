"""OpenAI's own client, asynchronous."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from abilities import show
from openai import AsyncOpenAI, pydantic_function_tool
from openai.types.chat import ChatCompletionMessageParam
from pydantic import BaseModel, Field
from tickets import QUESTION, REQUEST, SENTENCES, WEATHER, Ticket

client = AsyncOpenAI(base_url=os.environ["OPENAI_BASE_URL"], api_key=os.environ["OPENAI_API_KEY"])


class Weather(BaseModel):
    """Tells the current weather in a city."""

    city: str
    days: int = Field(ge=1, le=7)


def ask(text: str) -> list[ChatCompletionMessageParam]:
    return [{"role": "system", "content": "Answer briefly."}, {"role": "user", "content": text}]


async def chat() -> Any:
    """Four questions at a time."""
    asked = [
        client.chat.completions.create(model="whisper", messages=ask(QUESTION), max_tokens=24, seed=seed)
        for seed in range(4)
    ]
    answers = await asyncio.gather(*asked)
    choice = answers[0].choices[0]
    return {
        "text": choice.message.content,
        "finish_reason": choice.finish_reason,
        "all": [answer.choices[0].message.content for answer in answers],
    }


async def stream() -> Any:
    """Plain chunks, as most programs read them."""
    chunks = await client.chat.completions.create(
        model="whisper", messages=ask(QUESTION), max_tokens=48, stream=True, stream_options={"include_usage": True}
    )
    pieces, reason, usage = [], None, None
    async for chunk in chunks:
        if chunk.choices:
            pieces.append(chunk.choices[0].delta.content or "")
            reason = chunk.choices[0].finish_reason or reason
        usage = chunk.usage or usage
    return {"pieces": pieces, "text": "".join(pieces), "finish_reason": reason, "usage": usage and usage.model_dump()}


async def structured() -> Any:
    completion = await client.chat.completions.parse(
        model="whisper", messages=ask(REQUEST), response_format=Ticket, max_tokens=400
    )
    parsed = completion.choices[0].message.parsed
    return {"value": parsed and parsed.model_dump()}


async def tools() -> Any:
    """The helper builds the tool from a Pydantic model, and parses the arguments to one."""
    completion = await client.chat.completions.parse(
        model="whisper", messages=ask(WEATHER), tools=[pydantic_function_tool(Weather)], tool_choice="required"
    )
    choice = completion.choices[0]
    calls = choice.message.tool_calls or []
    parsed = [call.function.parsed_arguments for call in calls]
    return {
        "finish_reason": choice.finish_reason,
        "calls": [
            {"id": call.id, "name": call.function.name, "arguments": value.model_dump()}
            for call, value in zip(calls, parsed, strict=True)
            if isinstance(value, Weather)
        ],
    }


async def embeddings() -> Any:
    answer = await client.embeddings.create(model="use-multilingual-v3", input=SENTENCES)
    return {"vectors": [item.embedding for item in answer.data]}


if __name__ == "__main__":
    show("openai", chat, stream, structured, tools, embeddings)
