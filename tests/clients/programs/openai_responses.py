"""OpenAI's own client with the Responses API."""

from __future__ import annotations

import json
import os
from typing import Any

import openai
from abilities import show
from openai import OpenAI
from tickets import QUESTION, REQUEST, WEATHER, Ticket, weather

client = OpenAI(base_url=os.environ["OPENAI_BASE_URL"], api_key=os.environ["OPENAI_API_KEY"])

WEATHER_TOOL: Any = {
    "type": "function",
    "name": "weather",
    "description": "Tells the current weather in a city.",
    "strict": True,
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}},
        "required": ["city", "unit"],
        "additionalProperties": False,
    },
}


def responses() -> Any:
    answer = client.responses.create(
        model="whisper", instructions="Answer briefly.", input=QUESTION, max_output_tokens=64, store=False
    )
    return {
        "text": answer.output_text,
        "status": answer.status,
        "usage": answer.usage and answer.usage.model_dump(),
    }


def conversation() -> Any:
    """The caller keeps the conversation: the output of one response is input of the next."""
    messages: Any = [{"role": "user", "content": "My name is Ana."}]
    first = client.responses.create(model="whisper", input=messages, max_output_tokens=32)
    messages += first.output
    messages.append({"role": "user", "content": "What is my name?"})
    second = client.responses.create(model="whisper", input=messages, max_output_tokens=32)
    return {"text": second.output_text}


def responses_stream() -> Any:
    with client.responses.stream(model="whisper", input=QUESTION, max_output_tokens=64) as events:
        kinds, pieces = [], []
        for event in events:
            kinds.append(event.type)
            if event.type == "response.output_text.delta":
                pieces.append(event.delta)
        final = events.get_final_response()
    return {"kinds": kinds, "pieces": pieces, "text": final.output_text, "status": final.status}


def responses_structured() -> Any:
    answer = client.responses.parse(model="whisper", input=REQUEST, text_format=Ticket, max_output_tokens=400)
    return {"value": answer.output_parsed and answer.output_parsed.model_dump()}


def responses_structured_stream() -> Any:
    with client.responses.stream(model="whisper", input=REQUEST, text_format=Ticket, max_output_tokens=400) as events:
        pieces = [event.delta for event in events if event.type == "response.output_text.delta"]
        final = events.get_final_response()
    return {
        "pieces": pieces,
        "text": final.output_text,
        "value": final.output_parsed and final.output_parsed.model_dump(),
    }


def responses_tools() -> Any:
    messages: Any = [{"role": "user", "content": WEATHER}]
    first = client.responses.create(model="whisper", input=messages, tools=[WEATHER_TOOL], tool_choice="required")
    calls = [item for item in first.output if item.type == "function_call"]
    messages += first.output
    for call in calls:
        result = weather(**json.loads(call.arguments))
        messages.append({"type": "function_call_output", "call_id": call.call_id, "output": result})
    second = client.responses.create(
        model="whisper", input=messages, tools=[WEATHER_TOOL], tool_choice="none", max_output_tokens=64
    )
    return {
        "calls": [{"id": call.call_id, "name": call.name, "arguments": json.loads(call.arguments)} for call in calls],
        "text": second.output_text,
    }


def responses_tools_stream() -> Any:
    with client.responses.stream(
        model="whisper", input=WEATHER, tools=[WEATHER_TOOL], tool_choice={"type": "function", "name": "weather"}
    ) as events:
        pieces = [event.delta for event in events if event.type == "response.function_call_arguments.delta"]
        calls = [item for item in events.get_final_response().output if item.type == "function_call"]
    return {
        "pieces": pieces,
        "text": "".join(call.arguments for call in calls),
        "calls": [{"id": call.call_id, "name": call.name, "arguments": json.loads(call.arguments)} for call in calls],
    }


def responses_errors() -> Any:
    wrong: dict[str, dict[str, Any]] = {
        "unknown_model": {"model": "nobody"},
        "parameter": {"temperature": 9},
        "stored": {"previous_response_id": "resp_1"},
        "too_long": {"input": "word " * 30000},
    }
    return {name: describe_error({"model": "whisper", "input": "Hi", **body}) for name, body in wrong.items()}


def describe_error(body: dict[str, Any]) -> Any:
    try:
        client.responses.create(**body)
    except openai.APIStatusError as error:
        return {"type": type(error).__name__, "status": error.status_code, "code": error.code, "param": error.param}
    return None


if __name__ == "__main__":
    show(
        *("openai", responses, conversation, responses_stream, responses_structured, responses_structured_stream),
        *(responses_tools, responses_tools_stream, responses_errors),
    )
