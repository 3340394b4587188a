"""Changes of models.toml while the client runs, and what operators see of the engines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from core.configuration.settings import load
from core.contract import EngineHealth, Sampling
from core.errors import ModelUnavailable
from core.model.client import EngineMetrics, ModelClient
from core.model.client.default_model import DefaultModel
from core.model.library.selection import write_selection
from core.openai.chat_protocol import TextDelta
from tests.core.model.client.support_engines import MODEL, answer, engines, label
from tests.core.support_asking import HI
from tests.support.fake_model import Fail, FakeModel

TABLE = """
[{name}]
title = "Large"
engines = [{{ url = "{url}", key_env = "{key}" }}]
"""


def table(model: FakeModel, name: str = MODEL, key: str = "SET") -> str:
    return TABLE.format(name=name, url=model.url, key=key)


@asynccontextmanager
async def running(folder: Path, content: str) -> AsyncIterator[ModelClient]:
    """A client that follows the file models.toml of `folder`."""
    (folder / "models.toml").write_text(content, encoding="utf-8")
    settings = load({"CSPS_LLM_DATA": str(folder), "CSPS_LLM_CONFIG": str(folder)})
    client = ModelClient.from_settings(settings, environ={"SET": "key"})
    task = asyncio.create_task(client.run())
    try:
        yield client
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await client.close()


async def reload(client: ModelClient, folder: Path, content: str) -> None:
    (folder / "models.toml").write_text(content, encoding="utf-8")
    assert client._catalogue is not None
    await client._catalogue.reload()
    client._use_catalogue()


async def test_a_running_answer_ends_on_the_engine_that_it_began_on(tmp_path: Path) -> None:
    """The next one begins on the new engine."""
    wait = asyncio.Event()
    old, new = FakeModel(("Hel", wait, "lo")), FakeModel(("New",))
    async with (
        old.serving(),
        new.serving(),
        running(tmp_path, table(old)) as client,
        aclosing(client.stream(HI, Sampling(), model=MODEL)) as stream,
    ):
        first = await anext(stream)
        await reload(client, tmp_path, table(new))
        assert await answer(client) == "New"
        wait.set()
        rest = [event async for event in stream]

    assert [first, rest[0]] == [TextDelta("Hel"), TextDelta("lo")]


async def test_an_unchanged_model_keeps_what_is_known(tmp_path: Path) -> None:
    """Its breakers and connections stay. A model that is added is there, one that is removed is not."""
    first, second = FakeModel(), FakeModel()
    async with first.serving(), second.serving(), running(tmp_path, table(first)) as client:
        pool = client.pools[MODEL]
        await reload(client, tmp_path, table(first) + table(second, "other"))
        assert client.pools[MODEL] is pool
        assert set(client.pools) == {MODEL, "other"}
        await reload(client, tmp_path, table(second, "other"))
        assert set(client.pools) == {"other"}


async def test_a_change_without_its_key_is_not_made(tmp_path: Path) -> None:
    """The log names the variable; the old engines stay."""
    first, second = FakeModel(), FakeModel()
    async with first.serving(), second.serving(), running(tmp_path, table(first)) as client:
        with capture_logs() as logs:
            await reload(client, tmp_path, table(second, key="NOT_SET"))
        assert await answer(client) == "Hello there."

    assert any("NOT_SET" in str(entry.get("problem")) for entry in logs)
    assert first.requests


async def test_health_and_metrics_tell_each_engine(tmp_path: Path) -> None:
    """State, requests and the last problem, by model and host. The local process is none of them."""
    good, bad = FakeModel(), FakeModel(answer=lambda _: (Fail(401),))
    async with engines(tmp_path, good, bad) as client:
        for _ in range(4):
            await answer(client)
        by_label = {each.engine: each for each in client.engines()}
        registry = CollectorRegistry()
        registry.register(EngineMetrics(client.engines))

        assert by_label[label(good)] == EngineHealth(MODEL, label(good), "up", 0, 4, 0, None)
        away = by_label[label(bad)]
        assert (away.state, away.answered, away.failed) == ("away", 0, 1)
        assert "401" in (away.problem or "")
        labels = {"model": MODEL, "engine": label(bad)}
        assert registry.get_sample_value("csps_engine_state", {**labels, "state": "away"}) == 1
        assert registry.get_sample_value("csps_engine_state", {**labels, "state": "up"}) == 0
        assert registry.get_sample_value("csps_engine_requests_total", {**labels, "outcome": "failed"}) == 1
        assert registry.get_sample_value("csps_engine_running", labels) == 0


async def test_a_selected_model_is_the_default_at_once(tmp_path: Path) -> None:
    """`csps-llm models use` takes effect while the service runs, and is withdrawn as well."""
    model = FakeModel()
    async with model.serving(), running(tmp_path, table(model)) as client:
        with pytest.raises(ModelUnavailable):  # no local process runs here
            await client.info()
        write_selection(tmp_path, MODEL)
        await until(lambda: client._find(None)[0] is client.pools[MODEL])
        assert (await client.info()).title == "Large"
        write_selection(tmp_path, None)
        await until(lambda: client._find(None)[0] is client.own)


@pytest.mark.parametrize(
    ("variables", "default"),
    [
        ({}, "large"),
        ({"LLM_MODEL": "other"}, "other"),
        ({"LLM_URL": "http://gpu.invalid/v1", "LLM_MODEL": "large"}, None),
        ({"LLM_MODEL_FILE": "/srv/x.gguf", "LLM_MODEL": "large"}, None),
        ({"LLM_HUGGINGFACE_REPO": "a/b", "LLM_HUGGINGFACE_FILE": "*.gguf"}, None),
    ],
)
def test_the_default_is_found_in_the_order_of_the_model_host(
    tmp_path: Path, variables: dict[str, str], default: str | None
) -> None:
    """A file or a repository precedes LLM_MODEL, and that the selection."""
    write_selection(tmp_path, "large")

    assert DefaultModel(load({"CSPS_LLM_DATA": str(tmp_path), **variables})).id == default


async def until(is_true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not is_true():
            await asyncio.sleep(0.01)
