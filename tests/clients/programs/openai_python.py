"""OpenAI's own client, synchronous."""

from __future__ import annotations

import json
import os
from typing import Any

import openai
from abilities import show
from openai import OpenAI
from tickets import QUESTION, REQUEST, SENTENCES, WEATHER, Ticket, weather

client = OpenAI(base_url=os.environ["OPENAI_BASE_URL"], api_key=os.environ["OPENAI_API_KEY"])

WEATHER_TOOL: Any = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Tells the current weather in a city.",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string"},
                "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
            },
            "required": ["city", "unit"],
            "additionalProperties": False,
        },
    },
}


def ask(text: str) -> Any:
    return [
        {"role": "developer", "content": "Answer briefly."},
        {"role": "user", "content": [{"type": "text", "text": text}]},
    ]


def models() -> Any:
    listed = [model.id for model in client.models.list()]
    return {"ids": listed, "one": client.models.retrieve("whisper").id}


def chat() -> Any:
    completion = client.chat.completions.create(
        model="whisper",
        messages=ask(QUESTION),
        max_completion_tokens=48,
        temperature=0,
        seed=7,
        user="ana",
        store=False,
    )
    choice = completion.choices[0]
    return {
        "text": choice.message.content,
        "finish_reason": choice.finish_reason,
        "usage": completion.usage and completion.usage.model_dump(),
    }


def choices() -> Any:
    completion = client.chat.completions.create(model="whisper", messages=ask(QUESTION), max_tokens=24, n=2)
    return {"indices": [c.index for c in completion.choices], "texts": [c.message.content for c in completion.choices]}


def stream() -> Any:
    """The streaming helper collects the chunks to the same completion."""
    pieces = []
    with client.chat.completions.stream(
        model="whisper", messages=ask(QUESTION), temperature=0, stream_options={"include_usage": True}
    ) as events:
        pieces = [event.delta for event in events if event.type == "content.delta"]
        completion = events.get_final_completion()
    choice = completion.choices[0]
    return {
        "pieces": pieces,
        "text": choice.message.content,
        "finish_reason": choice.finish_reason,
        "usage": completion.usage and completion.usage.model_dump(),
    }


def structured() -> Any:
    completion = client.chat.completions.parse(
        model="whisper", messages=ask(REQUEST), response_format=Ticket, max_tokens=400
    )
    parsed = completion.choices[0].message.parsed
    return {"value": parsed and parsed.model_dump(), "finish_reason": completion.choices[0].finish_reason}


def structured_stream() -> Any:
    with client.chat.completions.stream(
        model="whisper", messages=ask(REQUEST), response_format=Ticket, max_tokens=400
    ) as events:
        pieces = [event.delta for event in events if event.type == "content.delta"]
        message = events.get_final_completion().choices[0].message
    return {"pieces": pieces, "text": message.content, "value": message.parsed and message.parsed.model_dump()}


def json_object() -> Any:
    completion = client.chat.completions.create(
        model="whisper",
        messages=ask("Give the capital of Canada as JSON with the key `capital`."),
        response_format={"type": "json_object"},
        max_tokens=200,
    )
    return {"value": json.loads(completion.choices[0].message.content or "")}


def tools() -> Any:
    """A call, its result, and an answer from it."""
    messages = ask(WEATHER)
    first = client.chat.completions.create(
        model="whisper", messages=messages, tools=[WEATHER_TOOL], tool_choice="required", parallel_tool_calls=False
    ).choices[0]
    calls = [call for call in first.message.tool_calls or [] if call.type == "function"]
    messages.append(first.message)
    for call in calls:
        result = weather(**json.loads(call.function.arguments))
        messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
    second = client.chat.completions.create(
        model="whisper", messages=messages, tools=[WEATHER_TOOL], tool_choice="none", max_tokens=48
    ).choices[0]
    return {
        "calls": [
            {"id": call.id, "name": call.function.name, "arguments": json.loads(call.function.arguments)}
            for call in calls
        ],
        "finish_reason": first.finish_reason,
        "text": second.message.content,
    }


def tools_auto() -> Any:
    """The model chooses between an answer and a call; the default of every client."""
    choice = client.chat.completions.create(
        model="whisper", messages=ask(WEATHER), tools=[WEATHER_TOOL], max_tokens=100
    ).choices[0]
    return {
        "finish_reason": choice.finish_reason,
        "has_text": bool(choice.message.content),
        "calls": [
            {"id": call.id, "name": call.function.name, "arguments": json.loads(call.function.arguments)}
            for call in choice.message.tool_calls or []
            if call.type == "function"
        ],
    }


def tools_stream() -> Any:
    """The helper joins the pieces of the arguments."""
    with client.chat.completions.stream(
        model="whisper",
        messages=ask(WEATHER),
        tools=[WEATHER_TOOL],
        tool_choice={"type": "function", "function": {"name": "weather"}},
    ) as events:
        pieces = [e.arguments_delta for e in events if e.type == "tool_calls.function.arguments.delta"]
        choice = events.get_final_completion().choices[0]
    return {
        "pieces": pieces,
        "text": "".join(call.function.arguments for call in choice.message.tool_calls or []),
        "finish_reason": choice.finish_reason,
        "calls": [
            {"id": call.id, "name": call.function.name, "arguments": json.loads(call.function.arguments)}
            for call in choice.message.tool_calls or []
        ],
    }


def embeddings() -> Any:
    """Without `encoding_format`, this client asks for base64."""
    answer = client.embeddings.create(model="use-multilingual-v3", input=SENTENCES)
    plain = client.embeddings.create(model="use-multilingual-v3", input=SENTENCES[0], encoding_format="float")
    return {
        "vectors": [item.embedding for item in answer.data],
        "single": plain.data[0].embedding,
        "tokens": answer.usage.total_tokens,
    }


def errors() -> Any:
    """Names the exception of each wrong request, with status, code and parameter."""
    hi = ask("Hi")
    wrong: dict[str, dict[str, Any]] = {
        "unknown_model": {"model": "nobody", "messages": hi},
        "parameter": {"messages": hi, "temperature": 9},
        "unsupported": {"messages": hi, "modalities": ["audio"]},
        "schema": {
            "messages": hi,
            "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "strnig"}}},
        },
        "too_long": {"messages": ask("word " * 30000)},
    }
    return {name: describe_error({"model": "whisper", **body}) for name, body in wrong.items()}


def describe_error(body: dict[str, Any]) -> Any:
    try:
        client.chat.completions.create(**body)
    except openai.APIStatusError as error:
        return {"type": type(error).__name__, "status": error.status_code, "code": error.code, "param": error.param}
    return None


if __name__ == "__main__":
    show(
        *("openai", models, chat, choices, stream, structured, structured_stream, json_object),
        *(tools, tools_auto, tools_stream, embeddings, errors),
    )
