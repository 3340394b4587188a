"""A client of a model process: sends OpenAI's requests over its socket, parses the answers."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.support.starter import ModelProcess

CHAT, TOKENIZE, EMBEDDINGS = "/v1/chat/completions", "/tokenize", "/v1/embeddings"
Fields = dict[str, Any]
PERSONALITY = (
    "You are a patient librarian in Ottawa. You answer in one short sentence, you never guess, "
    "and you name the shelf where the book that was asked for can be found."
)


def connect(process: ModelProcess, **options: Any) -> httpx.AsyncClient:
    transport = httpx.AsyncHTTPTransport(uds=str(process.socket))
    return httpx.AsyncClient(base_url="http://model", transport=transport, timeout=60, **options)


def body(content: str | list[Fields], **fields: Any) -> Fields:
    messages = [{"role": "user", "content": content}] if isinstance(content, str) else content
    return {"messages": messages, "max_tokens": 12, **fields}


def long_list(items: int) -> Fields:
    """Returns a response format that makes any model write at least two tokens per item."""
    schema = {"type": "array", "items": {"enum": [1, 2]}, "minItems": items, "maxItems": items}
    return {"type": "json_schema", "json_schema": {"schema": schema}}


async def ask(http: httpx.AsyncClient, content: str | list[Fields], **fields: Any) -> Fields:
    response = await http.post("/v1/chat/completions", json=body(content, **fields))
    assert response.status_code == 200, response.text
    return dict(response.json())


def answer_text(completion: Fields) -> str:
    return str(completion["choices"][0]["message"]["content"])


@dataclass
class StreamedAnswer:
    """The events and comments of a streamed answer."""

    events: list[Fields] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    queued: asyncio.Event = field(default_factory=asyncio.Event)  # set while or after the request waits
    done: bool = False

    @property
    def text(self) -> str:
        return "".join(event["choices"][0]["delta"].get("content", "") for event in self.events if event["choices"])

    @property
    def reasons(self) -> list[str]:
        found = [event["choices"][0]["finish_reason"] for event in self.events if event["choices"]]
        return [reason for reason in found if reason]

    def take(self, line: str) -> None:
        assert not (self.done and line), "nothing follows [DONE]"
        if line.startswith(":"):
            self.comments.append(line)
            if line.startswith(": queued"):
                self.queued.set()
        elif line == "data: [DONE]":
            self.done = True
        elif line:
            self.events.append(json.loads(line.removeprefix("data: ")))


async def stream(
    http: httpx.AsyncClient, content: str | list[Fields], answer: StreamedAnswer | None = None, **fields: Any
) -> StreamedAnswer:
    """Streams an answer into `answer`, which another task may look at meanwhile."""
    answer = answer or StreamedAnswer()
    async with http.stream("POST", "/v1/chat/completions", json=body(content, stream=True, **fields)) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        async for line in response.aiter_lines():
            answer.take(line)
    return answer


async def tokens_of(http: httpx.AsyncClient, **fields: Any) -> list[int]:
    response = await http.post("/tokenize", json=fields)
    assert response.status_code == 200, response.text
    return list(response.json()["tokens"])


async def metric(http: httpx.AsyncClient, name: str) -> float:
    found = re.search(rf"^{name}{{model=\"[^\"]*\"}} (\S+)$", (await http.get("/metrics")).text, re.MULTILINE)
    assert found
    return float(found[1])


async def until_running(http: httpx.AsyncClient, count: int) -> None:
    """Polls, because the model runs in another process, which announces neither the start nor the end of a request."""
    async with asyncio.timeout(30):
        while await metric(http, "csps_model_running") != count:
            await asyncio.sleep(0.01)
