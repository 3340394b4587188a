"""What an operator is told of the engine behind LLM_URL, with the real client and a real server that comes and goes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from core.cli import engine_watch, preflight
from core.cli.engine_watch import EngineWatch
from core.cli.words import Words
from core.configuration.settings import load
from core.contract import Language
from core.model.client import ModelClient
from tests.support.fakes import FakeModel


class Told:
    def __init__(self) -> None:
        self.said: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    def tell(self, event: str, text: str, **_values: object) -> None:
        self.said.put_nowait((event, text))

    async def next(self) -> tuple[str, str]:
        async with asyncio.timeout(30):
            return await self.said.get()


@asynccontextmanager
async def watched(url: str, language: Language = "en", **environ: str) -> AsyncIterator[Told]:
    told, client = Told(), ModelClient.from_settings(load({"LLM_URL": url, **environ}))
    watch = EngineWatch(client, url, told, Words(engine_watch.WORDS, language), seldom_s=0.01, soon_s=0.01)
    watching = asyncio.create_task(watch.run())
    try:
        yield told
    finally:
        watching.cancel()
        await asyncio.wait([watching])
        await client.close()


async def test_an_engine_that_comes_and_goes() -> None:
    """Each change is said once: nothing listens there, it answers, nothing listens there again."""
    model = FakeModel()
    port = preflight.free_port("127.0.0.1")
    async with watched(f"http://operator:hush@127.0.0.1:{port}/v1") as told:
        event, text = await told.next()
        assert event == "engine_away"
        assert f"http://127.0.0.1:{port}/v1 (LLM_URL) does not answer: nothing listens there." in text
        async with model.serving(port=port):
            event, text = await told.next()
            assert (event, text.endswith("answers: fake-model.")) == ("engine_back", True)
        assert (await told.next())[0] == "engine_away"


async def test_an_engine_that_answers_is_nothing_to_say() -> None:
    """Who asks for a model that it does not serve is told, in French too."""
    async with (
        FakeModel().serving() as model,
        watched(model.url) as told,
        watched(model.url, "fr", LLM_MODEL="large") as other,
    ):
        event, text = await other.next()
        assert told.said.empty()
    assert event == "engine_unusable"
    assert "ne peut pas servir" in text
    assert "'large'" in text
