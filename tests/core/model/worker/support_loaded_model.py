"""A loaded model in this process, without HTTP: its answers, and the moves of its conversations between memories."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from core.model.worker.llama.loading import RunnerConfig, load
from core.model.worker.llama.runner import LlamaRunner
from core.model.worker.loaded_model import LoadedModel
from core.model.worker.options import WorkerOptions
from core.model.worker.runner_config import load_runner
from core.model.worker.sequence import FailedOutput, FinishedOutput, TextOutput
from core.openai.engine_requests import EngineChatRequest

Result = TypeVar("Result")
Chat = list[dict[str, str]]
DEADLINE_S = 60.0
FLUSH_S = 20.0


@dataclass(frozen=True)
class Answer:
    """`cached`: prompt tokens that were not computed for this request."""

    text: str
    tokens: list[int]
    cached: int
    reason: str


def load_tiny(path: Path, **fields: Any) -> LlamaRunner:
    """Loads a tiny model for one thread."""
    return load(path, RunnerConfig(**{"window": 1024, "cache_tokens": 4096, "sequences": 16, "threads": 1, **fields}))


@asynccontextmanager
async def loaded_model(path: Path, data: Path, **options: Any) -> AsyncIterator[LoadedModel]:
    """Loads a model file. At the end its idle conversations are written to `data`, as when a worker stops."""
    sizes: dict[str, Any] = {"threads": 1, "slots": 8, "queue_limit": 100, "suspend_mb": 64, "suspend_disk_mb": 64}
    sizes |= {"context_window": 1024, "cache_tokens": 16_384}
    chosen = WorkerOptions(path=str(path), name="tiny", starter=False, data_folder=str(data), **{**sizes, **options})
    model = LoadedModel(await asyncio.to_thread(load_runner, chosen), chosen)
    try:
        yield model
    finally:
        await asyncio.to_thread(model.close, FLUSH_S)


async def answer(model: LoadedModel, messages: Chat, **fields: Any) -> Answer:
    """Answers a chat; greedily unless `fields` says otherwise."""
    body = {"messages": messages, "temperature": 0.0, "max_tokens": 12, **fields}
    reply = await model.chat(EngineChatRequest.model_validate(body))
    text = reply.answer_prefix
    while True:
        output = await reply.outputs.get(DEADLINE_S)
        assert output is not None, "no output"
        if isinstance(output, TextOutput):
            text += output.text
        elif isinstance(output, FailedOutput):
            raise output.error
        elif isinstance(output, FinishedOutput):
            usage = output.usage
            return Answer(text, list(reply.sequence.generated), usage.cached_tokens, output.reason)


async def answers(
    model: LoadedModel, chats: list[Chat], at_once: int, keys: list[str] | None = None, **fields: Any
) -> list[Answer]:
    """Answers the chats, `at_once` at a time. `keys`: their `prompt_cache_key`s."""
    gate = asyncio.Semaphore(at_once)

    async def one(number: int) -> Answer:
        async with gate:
            key = {"prompt_cache_key": keys[number]} if keys else {}
            return await answer(model, chats[number], **key, **fields)

    return list(await asyncio.gather(*(one(number) for number in range(len(chats)))))


async def move_to_host_memory(model: LoadedModel) -> None:
    """Moves every idle sequence out of the KV cache."""
    cache = model._inference._cache

    def evict() -> None:
        while cache._idle():
            cache._evict_one()

    await run(model, evict)


async def run(model: LoadedModel, work: Callable[[], Result]) -> Result:
    return await asyncio.wrap_future(model._inference.run(work))
