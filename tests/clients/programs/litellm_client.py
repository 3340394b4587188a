"""LiteLLM: one interface for many providers; `openai/` in front of the model names this service's."""

from __future__ import annotations

import json
import os
from typing import Any

import litellm
from abilities import show
from tickets import QUESTION, REQUEST, SENTENCES, WEATHER, Ticket, weather

SERVICE: Any = {"api_base": os.environ["OPENAI_BASE_URL"], "api_key": os.environ["OPENAI_API_KEY"]}
WHISPER: Any = {"model": "openai/whisper", **SERVICE}
WEATHER_TOOL: Any = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Tells the current weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def ask(text: str) -> Any:
    return [{"role": "user", "content": text}]


def chat() -> Any:
    answer = litellm.completion(**WHISPER, messages=ask(QUESTION), max_tokens=48)
    choice = answer.choices[0]
    return {
        "text": choice.message.content,
        "finish_reason": choice.finish_reason,
        "usage": answer.usage.model_dump(),
    }


async def stream() -> Any:
    chunks = await litellm.acompletion(
        **WHISPER, messages=ask(QUESTION), max_tokens=48, stream=True, stream_options={"include_usage": True}
    )
    collected = [chunk async for chunk in chunks]
    whole = litellm.stream_chunk_builder(collected)
    return {
        "pieces": [chunk.choices[0].delta.content or "" for chunk in collected if chunk.choices],
        "text": whole.choices[0].message.content,
        "finish_reason": whole.choices[0].finish_reason,
        "usage": whole.usage.model_dump(),
    }


def structured() -> Any:
    answer = litellm.completion(**WHISPER, messages=ask(REQUEST), response_format=Ticket, max_tokens=400)
    return {"value": json.loads(answer.choices[0].message.content)}


def tools() -> Any:
    messages = ask(WEATHER)
    first = litellm.completion(**WHISPER, messages=messages, tools=[WEATHER_TOOL], tool_choice="required").choices[0]
    calls = first.message.tool_calls
    messages.append(first.message)
    for call in calls:
        result = weather(**json.loads(call.function.arguments))
        messages.append({"role": "tool", "tool_call_id": call.id, "name": call.function.name, "content": result})
    second = litellm.completion(
        **WHISPER, messages=messages, tools=[WEATHER_TOOL], tool_choice="none", max_tokens=48
    ).choices[0]
    return {
        "calls": [
            {"id": call.id, "name": call.function.name, "arguments": json.loads(call.function.arguments)}
            for call in calls
        ],
        "finish_reason": first.finish_reason,
        "text": second.message.content,
    }


def tools_stream() -> Any:
    chunks = list(
        litellm.completion(**WHISPER, messages=ask(WEATHER), tools=[WEATHER_TOOL], tool_choice="required", stream=True)
    )
    choice = litellm.stream_chunk_builder(chunks).choices[0]
    return {
        "calls": [
            {"id": call.id, "name": call.function.name, "arguments": json.loads(call.function.arguments)}
            for call in choice.message.tool_calls
        ],
        "finish_reason": choice.finish_reason,
    }


def embeddings() -> Any:
    answer = litellm.embedding(model="openai/use-multilingual-v3", input=SENTENCES, encoding_format="float", **SERVICE)
    return {"vectors": [item["embedding"] for item in answer.data]}


def responses() -> Any:
    answer = litellm.responses(**WHISPER, input=QUESTION, max_output_tokens=48)
    texts = [part.text for item in answer.output if item.type == "message" for part in item.content]
    return {"text": "".join(texts), "status": answer.status}


def responses_stream() -> Any:
    events = list(litellm.responses(**WHISPER, input=QUESTION, max_output_tokens=48, stream=True))
    pieces = [event.delta for event in events if event.type == "response.output_text.delta"]
    return {"pieces": pieces, "text": "".join(pieces)}


def errors() -> Any:
    """LiteLLM translates the service's errors to exceptions of its own."""
    wrong: dict[str, Any] = {
        "unknown_model": {**WHISPER, "model": "openai/nobody"},
        "parameter": {**WHISPER, "temperature": 9},
        "window": {**WHISPER, "messages": ask("word " * 30000)},
    }
    return {name: describe_error({"messages": ask("Hi"), **body}) for name, body in wrong.items()}


def describe_error(body: dict[str, Any]) -> Any:
    try:
        litellm.completion(**body)
    except (litellm.NotFoundError, litellm.BadRequestError) as error:
        return {"type": type(error).__name__, "status": error.status_code}
    return None


if __name__ == "__main__":
    show(
        *("litellm", chat, stream, structured, tools, tools_stream),
        *(embeddings, responses, responses_stream, errors),
    )
