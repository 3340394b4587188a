"""GET /v1/models, as clients of several engines read it."""

from __future__ import annotations

import asyncio
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI
from openai.types import Model

from core.configuration.settings import Settings
from core.contract import Description
from core.errors import ModelUnavailable
from core.model.client.served_models import parse_models
from core.rag.embeddings import LocalEmbedder
from tests.support.fake_engine import FakeEngine
from tests.web.support_site import Site, site
from tests.web.v1.support_openai import build_client

WINDOW_FIELDS = ("max_model_len", "context_length", "context_window")


async def fetch(running: Site, path: str = "/v1/models") -> dict[str, Any]:
    async with running.http.get(path) as response:
        assert response.status == 200
        body: dict[str, Any] = await response.json()
        return body


async def test_models_are_the_personalities_and_the_encoder(client: AsyncOpenAI) -> None:
    """All or one; an unknown one is 404."""
    assert [model.id async for model in client.models.list()] == ["whisper", "chuchotte", "use-multilingual-v3"]
    assert (await client.models.retrieve("whisper")).id == "whisper"
    assert (await client.models.retrieve("use-multilingual-v3")).id == "use-multilingual-v3"
    assert (await client.models.retrieve(LocalEmbedder.name)).id == LocalEmbedder.name
    with pytest.raises(openai.NotFoundError):
        await client.models.retrieve("nobody")


async def test_entries_tell_the_window_the_texts_and_the_model(whisper: Site) -> None:
    """The window has the names of vLLM, OpenRouter and Groq."""
    whisper_model, chuchotte_model, encoder = (await fetch(whisper))["data"]

    assert {whisper_model[name] for name in WINDOW_FIELDS} == {4096}
    assert (whisper_model["root"], whisper_model["starter"], whisper_model["name"]) == ("fake-model", True, "Whisper")
    assert chuchotte_model["description"] == "À propos de chuchotte"
    assert (whisper_model["embedder"], encoder["embedder"], encoder["dimensions"]) == (False, True, 512)
    assert (whisper_model["capabilities"]["completion_chat"], encoder["capabilities"]["completion_chat"]) == (
        True,
        False,
    )
    assert whisper_model == await fetch(whisper, "/v1/models/whisper")


async def test_entries_are_valid_for_strict_clients(whisper: Site) -> None:
    """They have OpenAI's types."""
    for entry in (await fetch(whisper))["data"]:
        Model.model_validate(entry, strict=True)


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/whisper"])
async def test_without_a_model_its_fields_are_null(whisper: Site, path: str) -> None:
    """The personality is there all the same."""
    whisper.engine.model = None
    body = await fetch(whisper, path)
    entry = body["data"][0] if "data" in body else body

    assert [entry[name] for name in ("root", "starter", *WINDOW_FIELDS)] == [None] * 5
    assert (entry["id"], entry["name"]) == ("whisper", "Whisper")


async def test_the_list_waits_less_than_a_second_for_models(own_settings: Settings) -> None:
    """All models are asked at once, each for less than a second."""
    waits: list[float] = []
    everybody = asyncio.Barrier(2)

    class Slow(FakeEngine):
        async def describe(self, personality: str, wait_s: float = 0) -> Description:
            waits.append(wait_s)
            await everybody.wait()
            return await super().describe(personality)

    async with site(own_settings, Slow()) as running:
        await fetch(running)

    assert len(waits) == 2
    assert max(waits) < 1


async def test_a_personality_that_cannot_be_described_is_listed(own_settings: Settings) -> None:
    """Its texts are unknown."""

    class Broken(FakeEngine):
        async def describe(self, personality: str, wait_s: float = 0) -> Description:
            raise ModelUnavailable("restarting")

    async with site(own_settings, Broken()) as running, build_client(running) as client:
        assert "whisper" in [model.id async for model in client.models.list()]
        assert (await fetch(running, "/v1/models/whisper"))["context_length"] is None


async def test_another_csps_llm_reads_the_list(whisper: Site) -> None:
    """LLM_URL may point here: the window is read, and no chat goes to the encoder."""
    served = parse_models(await fetch(whisper))

    assert served.answering(None).name == "whisper"
    assert served.requested("chuchotte").window == 4096
    assert served.requested("use-multilingual-v3").embedder
