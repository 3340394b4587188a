"""Finds out what an engine can do with a model, by a few requests of a few tokens.

A field that an engine accepts proves nothing: many ignore unknown fields. Each probe asks for something that only an
engine with the feature answers rightly.
"""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import aclosing
from dataclasses import dataclass, replace

from prometheus_client.parser import text_string_to_metric_families

from core.contract import Json, Sampling
from core.errors import CspsError, ModelRefused, SchemaRefused
from core.model.client.chat_request import ChatRequest, build_body
from core.model.client.engine_connection import EngineConnection
from core.openai.chat_protocol import Message, TextDelta
from core.openai.dialects import (
    CONTINUING,
    ENFORCING,
    ContinuationSupport,
    EngineCapabilities,
    SchemaSupport,
    TokenizeSupport,
)

FORCED_VALUE = {"n": 41}  # no model greets with it
FORCED: Json = {
    "type": "object",
    "properties": {"n": {"type": "integer", "enum": [41]}},
    "required": ["n"],
    "additionalProperties": False,
}
FORCED_FORMAT: Json = {"type": "json_schema", "json_schema": {"name": "answer", "schema": FORCED, "strict": True}}
GREETING = (Message("user", "Say hello."),)
BEGUN = (
    Message("user", "Recite the alphabet in capital letters, separated by blanks."),
    Message("assistant", "A B C D E F G H I J K L M"),
)
CONTINUED = re.compile(r"\s*N\W+O\b")
FORCED_TOKENS, THINKING_TOKENS = 32, 1024  # the second is for models that think before they obey a schema
CONTINUED_TOKENS = 6
LONG_ANSWER_TOKENS = 256
STOP_POLLS, POLL_S = 30, 0.1
RUNNING_METRIC = "vllm:num_requests_running"
# The path that tells which program it is, and the field of its version.
VERSIONS = {
    "vllm": ("/version", "version"),
    "llama-server": ("/props", "build_info"),
    "ollama": ("/api/version", "version"),
}


@dataclass(frozen=True, slots=True)
class EngineIdentity:
    """The program behind a URL, its version and its models. Another one may have other features."""

    program: str  # "vllm", "llama-server", "ollama" or "other"
    version: str
    models: tuple[str, ...]

    @property
    def fingerprint(self) -> str:
        return json.dumps([self.program, self.version, *sorted(self.models)])


async def identify(engine: EngineConnection) -> EngineIdentity:
    """Raises ModelUnavailable, ModelRefused."""
    models = (await engine.served()).names()
    for program, (path, key) in VERSIONS.items():
        status, answer = await engine.probe("GET", path)
        if status == 200 and isinstance(answer.get(key), str):
            return EngineIdentity(program, answer[key][:100], models)
    return EngineIdentity("other", "", models)


async def find_capabilities(engine: EngineConnection, model: str) -> EngineCapabilities:
    """Takes seconds on a fast engine. Raises ModelUnavailable and Overloaded: nothing is known then."""
    extensions, refused = engine.capabilities(model).extensions, engine.capabilities(model).refused
    return EngineCapabilities(
        schema=await find_schema_support(engine, model),
        continuation=await find_continuation(engine, model),
        tokenize=await find_tokenize(engine, model),
        embeddings=await find_embeddings(engine, model),
        cancellation=await find_cancellation(engine, model),
        extensions=extensions,
        refused=refused,
    )


async def find_schema_support(engine: EngineConnection, model: str) -> SchemaSupport | None:
    """The field by which a schema is enforced. None: the model thinks for too long to tell."""
    is_accepted, is_clear = False, True
    for support in ENFORCING:
        try:
            text = await greet_under_schema(engine, model, support)
        except (ModelRefused, SchemaRefused) as exc:
            raise_if_broken(exc)
            continue
        if is_forced(text):
            return support
        is_accepted = is_accepted or support == "response_format"
        is_clear = is_clear and bool(text.strip())
    if not is_clear:
        return None
    return "unenforced" if is_accepted else "refused"


async def greet_under_schema(engine: EngineConnection, model: str, support: SchemaSupport) -> str:
    """The answer to a greeting under a schema that allows no greeting. Empty: the model only thought."""
    for max_tokens in (FORCED_TOKENS, THINKING_TOKENS):
        sampling = Sampling(temperature=0, max_tokens=max_tokens)
        request = ChatRequest(GREETING, sampling, response_format=FORCED_FORMAT)
        text, thinks = await ask(engine, model, request, EngineCapabilities(schema=support))
        if text.strip() or not thinks:
            break
    return text


def is_forced(text: str) -> bool:
    try:
        return bool(json.loads(text) == FORCED_VALUE)
    except ValueError:
        return False


async def find_continuation(engine: EngineConnection, model: str) -> ContinuationSupport:
    """The form by which the engine continues an answer."""
    request = ChatRequest(BEGUN, Sampling(temperature=0, max_tokens=CONTINUED_TOKENS), continue_last=True)
    for support in CONTINUING:
        try:
            text, _ = await ask(engine, model, request, EngineCapabilities(continuation=support))
        except ModelRefused as exc:
            raise_if_broken(exc)
            continue
        if CONTINUED.match(text):
            return support
    return "none"


async def ask(
    engine: EngineConnection, model: str, request: ChatRequest, capabilities: EngineCapabilities
) -> tuple[str, bool]:
    capabilities = replace(capabilities, refused=engine.capabilities(model).refused)
    return await engine.answer(build_body(request, model, capabilities, is_local=False, is_ours=False))


def raise_if_broken(refusal: CspsError) -> None:
    """Raises a refusal that says nothing about the feature: a wrong key, a proxy's redirect, an engine that failed."""
    status = refusal.engine_status if isinstance(refusal, ModelRefused) else None
    if status is not None and status not in (400, 422):
        raise refusal


async def find_tokenize(engine: EngineConnection, model: str) -> TokenizeSupport:
    await engine.count(GREETING, model)
    return engine.token_support or "none"


async def find_embeddings(engine: EngineConnection, model: str) -> bool:
    status, answer = await engine.probe("POST", "/v1/embeddings", {"model": model, "input": "a"})
    return status == 200 and bool(answer.get("data"))


async def find_cancellation(engine: EngineConnection, model: str) -> bool | None:
    """Leaves in the middle of an answer and looks whether the engine goes on. None: it does not show what it runs."""
    before = await count_running(engine)
    if before is None:
        return None
    request = ChatRequest((Message("user", "Count from 1 to 500."),), Sampling(max_tokens=LONG_ANSWER_TOKENS))
    async with aclosing(engine.stream(request, model)) as events:
        async for event in events:
            if isinstance(event, TextDelta):
                break
        during = await count_running(engine)
    if during is None or during <= before:
        return None  # other people's requests ended meanwhile
    for _ in range(STOP_POLLS):
        if (now := await count_running(engine)) is None or now <= before:
            return True
        await asyncio.sleep(POLL_S)
    return False


async def count_running(engine: EngineConnection) -> int | None:
    """The requests that the engine computes now: by llama-server's /slots or vLLM's /metrics."""
    status, slots = await engine.probe("GET", "/slots")
    if status == 200 and isinstance(slots.get("data"), list):
        return sum(isinstance(slot, dict) and slot.get("is_processing") is True for slot in slots["data"])
    text = await engine.metrics()
    if text is None:
        return None
    samples = [
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == RUNNING_METRIC
    ]
    return round(sum(samples)) if samples else None
