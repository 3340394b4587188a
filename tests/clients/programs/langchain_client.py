"""LangChain: chat models with typed output and tools, and embeddings."""

from __future__ import annotations

import os
from typing import Any

from abilities import show
from langchain_core.exceptions import ContextOverflowError
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from tickets import QUESTION, REQUEST, SENTENCES, WEATHER, Ticket
from tickets import weather as look

model = ChatOpenAI(model="whisper", base_url=os.environ["OPENAI_BASE_URL"], api_key=os.environ["OPENAI_API_KEY"])
# LangChain would count and send OpenAI's tokens, which no other model has.
encoder = OpenAIEmbeddings(model="use-multilingual-v3", check_embedding_ctx_length=False)


@tool
def weather(city: str) -> str:
    """Tells the current weather in a city."""
    return look(city)


def chat() -> Any:
    answer = model.invoke([("system", "Answer briefly."), ("user", QUESTION)], max_tokens=48)
    return {
        "text": answer.content,
        "finish_reason": answer.response_metadata["finish_reason"],
        "usage": answer.usage_metadata,
    }


def stream() -> Any:
    chunks = list(model.stream(QUESTION, max_tokens=48, stream_usage=True))
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    return {"pieces": [chunk.content for chunk in chunks], "text": whole.content, "usage": whole.usage_metadata}


def structured() -> Any:
    """`response_format` with the model's schema."""
    return {"value": model.with_structured_output(Ticket).invoke(REQUEST).model_dump()}


def structured_stream() -> Any:
    snapshots = list(model.with_structured_output(Ticket.model_json_schema()).stream(REQUEST))
    return {"snapshots": len(snapshots), "value": snapshots[-1]}


def json_object() -> Any:
    answer = model.with_structured_output(None, method="json_mode").invoke(
        "Give the capital of Canada as JSON with the key `capital`.", max_tokens=200
    )
    return {"value": answer}


def tools() -> Any:
    messages: list[Any] = [HumanMessage(WEATHER)]
    first = model.bind_tools([weather], tool_choice="any", strict=True).invoke(messages)
    messages += [first, *(weather.invoke(call) for call in first.tool_calls)]
    second = model.bind_tools([weather], tool_choice="none").invoke(messages, max_tokens=48)
    return {
        "calls": [{"id": call["id"], "name": call["name"], "arguments": call["args"]} for call in first.tool_calls],
        "finish_reason": first.response_metadata["finish_reason"],
        "text": second.content,
    }


def tools_stream() -> Any:
    chunks = list(model.bind_tools([weather], tool_choice="weather").stream(WEATHER))
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    return {"calls": [{"id": call["id"], "name": call["name"], "arguments": call["args"]} for call in whole.tool_calls]}


def tools_auto() -> Any:
    answer = model.bind_tools([weather]).invoke(WEATHER, max_tokens=100)
    return {
        "has_text": bool(answer.content),
        "finish_reason": answer.response_metadata["finish_reason"],
        "calls": [{"id": call["id"], "name": call["name"], "arguments": call["args"]} for call in answer.tool_calls],
    }


def function_calling() -> Any:
    """A typed output by way of a tool."""
    return {"value": model.with_structured_output(Ticket, method="function_calling").invoke(REQUEST).model_dump()}


def embeddings() -> Any:
    return {"vectors": encoder.embed_documents(SENTENCES), "single": encoder.embed_query(SENTENCES[0])}


def responses() -> Any:
    answer = model.model_copy(update={"use_responses_api": True}).invoke(QUESTION, max_tokens=48)
    return {"text": answer.text}


def responses_stream() -> Any:
    chunks = list(model.model_copy(update={"use_responses_api": True}).stream(QUESTION, max_tokens=48))
    return {"pieces": [chunk.text for chunk in chunks], "text": "".join(chunk.text for chunk in chunks)}


def errors() -> Any:
    """A prompt that is too long has an exception of its own."""
    try:
        model.invoke("word " * 30000)
    except ContextOverflowError as error:
        return {"window": {"type": "ContextOverflowError", "status": error.status_code, "code": error.code}}
    return {}


if __name__ == "__main__":
    show(
        *("langchain-openai", chat, stream, structured, structured_stream, json_object),
        *(tools, tools_stream, tools_auto, function_calling, embeddings, responses, responses_stream, errors),
    )
