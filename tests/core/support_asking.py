"""A client of a fake model, and one question."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

from core.configuration.settings import Settings
from core.contract import Sampling
from core.model.client import ModelClient
from core.openai.chat_protocol import Message
from tests.support.fake_model import FakeModel, Step

HI = [Message("user", "Hi there")]


@asynccontextmanager
async def connected(settings: Settings, *answers: Sequence[Step], **options: Any) -> AsyncIterator[tuple[Any, Any]]:
    """A client and its fake model on the Unix socket."""
    client = ModelClient.from_settings(settings)
    async with FakeModel(*answers, **options).serving(settings.model_socket) as model:
        try:
            yield client, model
        finally:
            await client.close()


async def pieces(client: ModelClient, sampling: Sampling | None = None, **options: Any) -> list[Any]:
    async with aclosing(client.stream(HI, sampling or Sampling(), **options)) as stream:
        return [piece async for piece in stream]
