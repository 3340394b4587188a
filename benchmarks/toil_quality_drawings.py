"""The ways in which benchmarks/toil_quality.py draws JSON from one prompt and model: ours, llama-server's, freely."""

from __future__ import annotations

import argparse
import json
import os
import re
import tempfile
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import httpx

from benchmarks.serving import KEY, commands, free_port, running_server
from core import strict_json
from core.configuration import settings
from core.configuration.personalities import Personalities
from core.configuration.settings import Settings
from core.contract import Attachment, Json, Language, Prompt, Sampling, Task, ToilResult
from core.conversation.composition import build_context, build_request
from core.conversation.draft import AnswerRequest
from core.errors import BadRequest, CspsError
from core.model.client import ModelClient
from core.openai.chat_protocol import Message, StreamFinished, TextDelta
from core.runtime.background_tasks import run_beside
from core.toil.toiler import Toiler, add_instructions, toil_sampling
from core.toil.validator_pool import ValidatorPool

DRAWINGS = ("ours", "free", "llama-server")  # in this order: the free one finds the prompt of ours computed
NOW = datetime(2026, 11, 30, 14, 5, tzinfo=ZoneInfo("America/Toronto"))
TOKENS = 200
TIMEOUT_S = 600
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

    def __init__(self, personalities: Personalities, sampling: Sampling) -> None:
        self._personalities = personalities
        self.sampling = sampling

    def request(self, case: ToilCase) -> AnswerRequest:
        """Without the instructions that the Toiler adds."""
        personality = self._personalities.get(PERSONALITY[case.language])
        files = (Attachment("text", case.text),) if case.text else ()
        prompt = Prompt(personality.name, case.prompt, attachments=files, sampling=self.sampling)
        return build_request(build_context(prompt, personality), now=NOW, cites=False)

    def messages(self, case: ToilCase) -> tuple[tuple[Message, ...], Sampling]:
        """The messages as the Toiler sends them at first, and their sampling."""
        request = add_instructions(self.request(case), case.schema, case.language)
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
            return Drawn(f"{response.status_code}")
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


class DrawingStack(AsyncExitStack):
    """The servers and clients behind the drawings, which end together."""

    async def open(self, model: Path | None, options: argparse.Namespace) -> dict[str, Drawing]:
        """The drawings by name: with servers of their own for a model file, else at the engine of `options.url`."""
        sampling = Sampling(temperature=options.temperature, seed=options.seed, max_tokens=TOKENS)
        variables = await self._engine_variables(model, options)
        loaded = settings.load({**os.environ, **variables})
        client = await self._client(loaded)
        requests = RequestBuilder(load_personalities(loaded), sampling)
        validators = ValidatorPool()
        self.push_async_callback(validators.close)
        drawings: dict[str, Drawing] = {}
        for name in (each for each in DRAWINGS if each in options.drawings.split(",")):
            match name:
                case "ours":
                    toiler = Toiler(client, TIMEOUT_S)
                    self.push_async_callback(toiler.close)
                    drawings[name] = OurDrawing(toiler, requests)
                case "free":
                    drawings[name] = FreeDrawing(client, requests, validators)
                case _ if model is None:
                    theirs = await self._http(options.url, os.environ.get("LLM_API_KEY", ""))
                    drawings["engine"] = EngineDrawing(theirs, options.model, requests, validators)
                case _:
                    ours = await self._http(f"http://{variables['LLM_LISTEN']}", KEY)
                    theirs = await self._http(await self._llama_server(model, options.at_once), "")
                    drawings[name] = LlamaServerDrawing(ours, theirs, requests, validators)
        return drawings

    async def open_toiler(self, model: Path | None, options: argparse.Namespace) -> tuple[Toiler, Personalities]:
        """Toil alone, as /toil does it, and the shipped personalities."""
        loaded = settings.load({**os.environ, **await self._engine_variables(model, options)})
        toiler = Toiler(await self._client(loaded), TIMEOUT_S)
        self.push_async_callback(toiler.close)
        return toiler, load_personalities(loaded)

    async def _engine_variables(self, model: Path | None, options: argparse.Namespace) -> dict[str, str]:
        """The settings of the engine that answers; starts our model process for a model file."""
        data = self.enter_context(tempfile.TemporaryDirectory())
        if model is None:
            named = {"LLM_MODEL": options.model} if options.model else {}
            return {"CSPS_LLM_DATA": data, "LLM_URL": options.url, **named}
        port = str(free_port())
        name, command, environment = commands(model, options.at_once)[0]
        variables = {key: value.replace("PORT", port) for key, value in environment.items()} | {"CSPS_LLM_DATA": data}
        await self.enter_async_context(running_server(name, command, int(port), variables))
        return variables

    async def _client(self, loaded: Settings) -> ModelClient:
        client = ModelClient.from_settings(loaded)
        self.push_async_callback(client.close)
        if loaded.model.url:
            await self.enter_async_context(run_beside(client.run()))  # finds out what the engine can do
        await client.wait_ready(TIMEOUT_S)
        return client

    async def _http(self, url: str, key: str) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return await self.enter_async_context(httpx.AsyncClient(base_url=url, headers=headers, timeout=TIMEOUT_S))

    async def _llama_server(self, model: Path, slots: int) -> str:
        name, command, environment = next(row for row in commands(model, slots) if row[0] == "llama-server")
        port = free_port()
        filled = [part.replace("PORT", str(port)) for part in command]
        return (await self.enter_async_context(running_server(name, filled, port, environment))).url


def load_personalities(loaded: Settings) -> Personalities:
    personalities = Personalities(loaded.config / "personalities")
    personalities.load()
    return personalities
