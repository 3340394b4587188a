"""The ways in which benchmarks/toil_quality.py draws JSON from one prompt and model: ours, llama-server's, freely."""

from __future__ import annotations

import json
import re
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import httpx

from benchmarks.toil_quality_engines import PEER, Engines
from core import strict_json
from core.configuration.personalities import Personalities
from core.contract import Attachment, Json, Language, Prompt, Sampling, Task, ToilResult
from core.conversation.composition import build_context, build_request
from core.conversation.draft import AnswerRequest
from core.errors import BadRequest, CspsError
from core.model.client import ModelClient
from core.openai.chat_protocol import Message, StreamFinished, TextDelta
from core.toil.instructions import toil_sampling
from core.toil.toiler import Instruct, Toiler
from core.toil.validator_pool import ValidatorPool

DRAWINGS = ("ours", "free", PEER)  # in this order: the free one finds the prompt of ours computed
NOW = datetime(2026, 11, 30, 14, 5, tzinfo=ZoneInfo("America/Toronto"))
PERSONALITY = {"en": "whisper", "fr": "chuchotte"}
FENCED = re.compile(r"```(?:json)?\s*(.*?)```", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ToilCase:
    id: str
    language: Language
    kind: str
    schema: Any
    prompt: str
    text: str
    right: Any

    def task(self, sampling: Sampling) -> Task:
        return Task(PERSONALITY[self.language], self.prompt, self.schema, sampling=sampling)


@dataclass(frozen=True, slots=True)
class Drawn:
    """An answer. `parsed`: it was JSON, so that `value` means something. `valid`: it conforms to the schema."""

    text: str
    value: Json = None
    parsed: bool = False
    valid: bool = False
    tokens: int = 0


class Drawing(Protocol):
    async def draw(self, case: ToilCase) -> Drawn: ...


class RequestBuilder:
    """Builds the prompts that /toil builds for these personalities."""

    def __init__(self, personalities: Personalities, sampling: Sampling, instruct: Instruct) -> None:
        self._personalities = personalities
        self.sampling = sampling
        self.instruct = instruct

    def request(self, case: ToilCase) -> AnswerRequest:
        """The request has none of the instructions that the Toiler adds."""
        personality = self._personalities.get(PERSONALITY[case.language])
        files = (Attachment("text", case.text),) if case.text else ()
        prompt = Prompt(personality.name, case.prompt, attachments=files, sampling=self.sampling)
        return build_request(build_context(prompt, personality), now=NOW, prose=False)

    def messages(self, case: ToilCase) -> tuple[tuple[Message, ...], Sampling]:
        """The messages as the Toiler sends them at first, and their sampling."""
        request = self.instruct(self.request(case), case.schema, case.language)
        return request.draft.messages(), toil_sampling(request.sampling, self.sampling)


@dataclass
class OurDrawing:
    toiler: Toiler
    requests: RequestBuilder

    async def draw(self, case: ToilCase) -> Drawn:
        task = case.task(self.requests.sampling)
        try:
            async with aclosing(self.toiler.events(self.requests.request(case), task, case.language)) as events:
                async for event in events:
                    if isinstance(event, ToilResult):
                        text = json.dumps(event.value, ensure_ascii=False)
                        return Drawn(text, event.value, True, True, event.usage.completion_tokens)
        except CspsError as exc:
            return Drawn(exc.code)
        raise AssertionError("toil ends with ToilResult or an exception")


@dataclass
class FreeDrawing:
    client: ModelClient
    requests: RequestBuilder
    validators: ValidatorPool

    async def draw(self, case: ToilCase) -> Drawn:
        messages, sampling = self.requests.messages(case)
        text, tokens = "", 0
        async with aclosing(self.client.stream(messages, sampling)) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    text += event.text
                elif isinstance(event, StreamFinished):
                    tokens = event.usage.completion_tokens
        return await judge(self.validators, extract_json(text), text, case, tokens)


@dataclass
class LlamaServerDrawing:
    """llama-server's grammar. It gets the token ids of our prompt, because it would use another template for Gemma."""

    ours: httpx.AsyncClient
    theirs: httpx.AsyncClient
    requests: RequestBuilder
    validators: ValidatorPool

    async def draw(self, case: ToilCase) -> Drawn:
        messages, sampling = self.requests.messages(case)
        body = {"messages": [{"role": each.role, "content": each.content} for each in messages]}
        tokens = (await self.ours.post("/tokenize", json=body)).raise_for_status().json()["tokens"]
        response = await self.theirs.post(
            "/completion",
            json={
                "prompt": tokens,
                "json_schema": case.schema,
                "n_predict": sampling.max_tokens,
                "temperature": sampling.temperature,
                "seed": sampling.seed,
                "top_p": sampling.top_p,
                "min_p": sampling.min_p,
                "repeat_penalty": sampling.repeat_penalty,
            },
        )
        if response.status_code != 200:
            return Drawn(f"{response.status_code}")
        answer = response.json()
        return await judge(self.validators, answer["content"], answer["content"], case, answer["tokens_predicted"])


@dataclass
class EngineDrawing:
    """The grammar of an engine with OpenAI's API, which gets the caller's own schema."""

    http: httpx.AsyncClient
    model: str
    requests: RequestBuilder
    validators: ValidatorPool

    async def draw(self, case: ToilCase) -> Drawn:
        messages, sampling = self.requests.messages(case)
        named = {"name": "answer", "schema": case.schema}
        body = {
            "model": self.model,
            "messages": [{"role": each.role, "content": each.content} for each in messages],
            "response_format": {"type": "json_schema", "json_schema": named},
            "max_tokens": sampling.max_tokens,
            "temperature": sampling.temperature,
            "seed": sampling.seed,
        }
        response = await self.http.post("chat/completions", json=body)
        if response.status_code != 200:
            return Drawn(f"{response.status_code} {response.text[:200]}")
        answer = response.json()
        text = answer["choices"][0]["message"]["content"] or ""
        return await judge(self.validators, text, text, case, answer["usage"]["completion_tokens"])


def extract_json(text: str) -> str:
    """The JSON of a free answer: in its first code block, else from its first to its last bracket."""
    fenced = FENCED.search(text)
    text = fenced[1] if fenced else text
    starts = [at for at in (text.find("{"), text.find("[")) if at >= 0]
    return text[min(starts) : 1 + max(text.rfind("}"), text.rfind("]"))] if starts else ""


async def judge(validators: ValidatorPool, found: str, text: str, case: ToilCase, tokens: int) -> Drawn:
    try:
        value = strict_json.parse(found, last_wins=True)
    except BadRequest:
        return Drawn(text, tokens=tokens)
    violations = await validators.validate(case.schema, value)
    return Drawn(text, value, True, not violations, tokens)


def build_drawing(name: str, engines: Engines, requests: RequestBuilder) -> Drawing:
    if name == "ours":
        return OurDrawing(engines.toiler(requests.instruct), requests)
    if name == "free":
        return FreeDrawing(engines.client, requests, engines.validators)
    assert engines.peer is not None
    if engines.tokenizer is None:
        return EngineDrawing(engines.peer, engines.peer_model, requests, engines.validators)
    return LlamaServerDrawing(engines.tokenizer, engines.peer, requests, engines.validators)
