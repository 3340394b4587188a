"""Several fake engines behind URLs, and a client that has them as the engines of the model "large"."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from core.configuration.settings import load
from core.model.client import ModelClient
from core.model.library.catalogue import RemoteModel
from core.model.library.engine_entry import EngineEntry
from core.openai.chat_protocol import TextDelta
from tests.core.support_asking import pieces
from tests.support.fake_model import FakeModel

MODEL = "large"


def client_of(tmp_path: Path, entries: Sequence[EngineEntry], **variables: str) -> ModelClient:
    settings = load({"CSPS_LLM_DATA": str(tmp_path), **variables})
    return ModelClient.from_settings(settings, {MODEL: RemoteModel(title="Large", engines=tuple(entries))}, variables)


@asynccontextmanager
async def engines(tmp_path: Path, *models: FakeModel, **variables: str) -> AsyncIterator[ModelClient]:
    """A client of these engines, in this order and of the same weight."""
    async with AsyncExitStack() as stack:
        for model in models:
            await stack.enter_async_context(model.serving())
        client = client_of(tmp_path, [EngineEntry(url=model.url) for model in models], **variables)
        stack.push_async_callback(client.close)
        yield client


async def answer(client: ModelClient, **options: Any) -> str:
    """The text of one answer of the model."""
    found = await pieces(client, model=MODEL, **options)
    return "".join(piece.text for piece in found if isinstance(piece, TextDelta))


def states(client: ModelClient) -> dict[str, str]:
    """The state of each engine's breaker, by host and port."""
    return {label: breaker.state for pool in client.pools.values() for label, breaker in pool.breakers.items()}


def label(model: FakeModel) -> str:
    return model.url.removeprefix("http://")
