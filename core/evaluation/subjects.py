"""What is evaluated: a personality, perhaps with another model; asked in this process, or over HTTP at a service."""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Protocol

import httpx

from core.contract import Done, Engine, Json, Prompt, Sampling, Source, Task, Text
from core.errors import BadRequest, EngineFailed, ModelUnavailable, Overloaded
from core.evaluation.measures import CitedSource, SubjectAnswer
from core.openai.chat_protocol import error_from_response
from core.rag.source_list import HEADING

SEED = 1  # the same for all questions and subjects, so that an evaluation can be made again
HTTP_TIMEOUT_S = 600.0
LISTED_SOURCE = re.compile(r"\[(?P<number>\d{1,3})\] ?(?P<words>.*?(?P<url>https?://\S+)?)")


@dataclass(frozen=True, slots=True)
class Subject:
    """`model`: answers in place of the personality's own; None: that one."""

    personality: str
    model: str | None = None

    @property
    def name(self) -> str:
        return f"{self.personality} · {self.model}" if self.model else self.personality


class Asker(Protocol):
    async def ask(self, subject: Subject, question: str) -> SubjectAnswer:
        """Raises CspsError."""

    async def decide(self, subject: Subject, prompt: str, schema: Mapping[str, Json]) -> Json:
        """A value that conforms to the schema. Raises CspsError."""


def parse_subject(words: str, first: Subject, personalities: Collection[str]) -> Subject:
    """A personality's name, a model's name, or "personality:model". `first`: has the other part."""
    if words in personalities:
        return Subject(words, first.model)
    personality, colon, model = words.partition(":")
    if colon and personality in personalities:
        return Subject(personality, model or None)
    return Subject(first.personality, words)


class EngineAsker:
    """Asks the engine of this process. Nothing is stored."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def ask(self, subject: Subject, question: str) -> SubjectAnswer:
        prompt = Prompt(
            subject.personality, question, sampling=Sampling(seed=SEED), priority="batch", model=subject.model
        )
        text, sources, began_s = "", dict[int, CitedSource](), time.monotonic()
        async with aclosing(self._engine.reply(prompt)) as events:
            async for event in events:
                match event:
                    case Text(part):
                        text += part
                    case Source(number, title, url):
                        sources[number] = CitedSource(number, title, url)
                    case Done(_, model):
                        seconds = time.monotonic() - began_s
                        return SubjectAnswer(text, model, tuple(sources.values()), event.receipt, seconds)
        raise AssertionError("an answer ends with Done or an exception")

    async def decide(self, subject: Subject, prompt: str, schema: Mapping[str, Json]) -> Json:
        sampling = Sampling(temperature=0, seed=SEED)
        task = Task(subject.personality, prompt, schema, sampling=sampling, priority="batch", model=subject.model)
        return (await self._engine.toil(task)).value


class ServiceAsker:
    """Asks a running service, by /v1 and /toil. `key`: the API key that it requires, if any."""

    def __init__(self, url: str, key: str | None = None, transport: httpx.AsyncBaseTransport | None = None) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx.AsyncClient(
            base_url=url.rstrip("/"), headers=headers, timeout=HTTP_TIMEOUT_S, transport=transport
        )

    async def close(self) -> None:
        await self._http.aclose()

    async def ask(self, subject: Subject, question: str) -> SubjectAnswer:
        message: Json = {"role": "user", "content": question}
        began_s = time.monotonic()
        body = await self._post(
            "/v1/chat/completions", {"model": subject.personality, "messages": [message], "seed": SEED}
        )
        text, sources = split_source_list(body["choices"][0]["message"]["content"] or "")
        return SubjectAnswer(text, subject.personality, sources, body.get("id"), time.monotonic() - began_s)

    async def decide(self, subject: Subject, prompt: str, schema: Mapping[str, Json]) -> Json:
        options: Json = {"prompt": prompt, "schema": dict(schema), "temperature": 0, "seed": SEED}
        value: Json = await self._post(f"/toil/{subject.personality}", options)
        return value

    async def _post(self, path: str, body: Json) -> Any:
        """Raises Overloaded, ModelUnavailable, BadRequest, EngineFailed."""
        try:
            response = await self._http.post(path, json=body)
        except httpx.TransportError as exc:
            raise ModelUnavailable(f"{self._http.base_url} does not answer: {type(exc).__name__}") from exc
        if response.status_code == httpx.codes.OK:
            return response.json()
        refusal = error_from_response(response.status_code, response.content, response.headers.get("retry-after"))
        if isinstance(refusal, Overloaded | ModelUnavailable | EngineFailed):
            raise refusal
        raise BadRequest(f"the service answered {response.status_code} to {path}")


def split_source_list(content: str) -> tuple[str, tuple[CitedSource, ...]]:
    """An answer of /v1 without the list of its sources, and the sources (`core.rag.source_list` writes them)."""
    answer, heading, listed = content.rpartition(f"{HEADING}\n")
    lines = [LISTED_SOURCE.fullmatch(line) for line in listed.split("\n")]
    if not heading or not all(lines):
        return content, ()
    return answer, tuple(CitedSource(int(line["number"]), line["words"], line["url"]) for line in lines if line)
