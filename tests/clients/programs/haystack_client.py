"""Haystack: components for chat and embeddings."""

from __future__ import annotations

import json
import os
from typing import Any

from abilities import show
from haystack.components.embedders import OpenAIDocumentEmbedder, OpenAITextEmbedder
from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.dataclasses import ChatMessage, Document
from haystack.tools import create_tool_from_function
from tickets import QUESTION, REQUEST, SENTENCES, WEATHER, Ticket
from tickets import weather as look

generator = OpenAIChatGenerator(model="whisper", api_base_url=os.environ["OPENAI_BASE_URL"])  # and OPENAI_API_KEY


def weather(city: str) -> str:
    """Tells the current weather in a city."""
    return look(city)


def chat() -> Any:
    reply = generator.run([ChatMessage.from_user(QUESTION)], generation_kwargs={"max_tokens": 48})["replies"][0]
    return {"text": reply.text, "finish_reason": reply.meta["finish_reason"], "usage": reply.meta["usage"]}


def stream() -> Any:
    pieces: list[str] = []
    reply = generator.run(
        [ChatMessage.from_user(QUESTION)],
        generation_kwargs={"max_tokens": 48},
        streaming_callback=lambda chunk: pieces.append(chunk.content),
    )["replies"][0]
    return {"pieces": pieces, "text": reply.text, "finish_reason": reply.meta["finish_reason"]}


def structured() -> Any:
    reply = generator.run([ChatMessage.from_user(REQUEST)], generation_kwargs={"response_format": Ticket})["replies"][0]
    return {"value": json.loads(reply.text)}


def tools() -> Any:
    messages = [ChatMessage.from_user(WEATHER)]
    offered = [create_tool_from_function(weather)]
    first = generator.run(messages, tools=offered, generation_kwargs={"tool_choice": "required"})["replies"][0]
    messages.append(first)
    messages += [ChatMessage.from_tool(look(**call.arguments), origin=call) for call in first.tool_calls]
    settings = {"tool_choice": "none", "max_tokens": 48}
    second = generator.run(messages, tools=offered, generation_kwargs=settings)["replies"][0]
    return {
        "calls": [{"id": c.id, "name": c.tool_name, "arguments": c.arguments} for c in first.tool_calls],
        "finish_reason": first.meta["finish_reason"],
        "text": second.text,
    }


def embeddings() -> Any:
    settings: Any = {"model": "use-multilingual-v3", "api_base_url": os.environ["OPENAI_BASE_URL"]}
    documents = [Document(content=sentence) for sentence in SENTENCES]
    embedded = OpenAIDocumentEmbedder(**settings, progress_bar=False).run(documents)["documents"]
    single = OpenAITextEmbedder(**settings).run(SENTENCES[0])["embedding"]
    return {"vectors": [document.embedding for document in embedded], "single": single}


if __name__ == "__main__":
    show("haystack-ai", chat, stream, structured, tools, embeddings)
