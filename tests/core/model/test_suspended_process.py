"""Suspended conversations through all processes: the engine, its client, the model host, its worker, and the disk."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from core.bootstrap import Core, run_core
from core.contract import Done, Prompt, Sampling, Usage
from core.conversation import forgotten_states
from core.model.worker.suspended.write_behind import IDLE_S
from tests.core.model.worker.support_model_client import ask, connect
from tests.core.support_chatting import events_of
from tests.support.starter import ModelProcess, link_starter

LETTER = "The planted-secret of the cabinet is kept in the blue folder, and the folder is kept in the attic. " * 12
DEADLINE_S = 60


@pytest.fixture(scope="module")
def process(starter_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelProcess]:
    """A starter of its own, which tests stop and start."""
    data = tmp_path_factory.mktemp("suspended")
    link_starter(starter_file, data)
    with ModelProcess(data, LLM_SLOTS="2", LLM_CONTEXT_WINDOW="2048", LLM_AUTO="off").serving() as process:
        yield process


@asynccontextmanager
async def engine_of(process: ModelProcess) -> AsyncIterator[Core]:
    async with run_core(process.settings, warms=False) as core:
        yield core


async def restart(process: ModelProcess) -> None:
    assert await asyncio.to_thread(process.stop) == 0
    process.start()
    await asyncio.to_thread(process.wait_ready)


async def usage_of(core: Core, conversation: str | None, text: str) -> Usage:
    events = await events_of(core.engine, Prompt("whisper", text, conversation, sampling=Sampling(max_tokens=8)))
    (done,) = (event for event in events if isinstance(event, Done))
    return done.usage


def state_files(process: ModelProcess) -> list[Path]:
    return [path for path in (process.settings.data_folder / "suspended").glob("*/*") if path.is_file()]


async def until_no_state(process: ModelProcess) -> None:
    """Polls, because another process deletes them."""
    async with asyncio.timeout(DEADLINE_S):
        while state_files(process):
            await asyncio.sleep(0.02)


async def test_a_conversation_goes_on_after_a_restart_of_the_model(process: ModelProcess) -> None:
    """Only the new question is computed; the files contain nothing that can be read. Forgetting deletes them."""
    async with engine_of(process) as core:
        name = await core.engine.open("whisper")
        first = await usage_of(core, name, LETTER)
        await restart(process)
        (file,) = state_files(process)
        second = await usage_of(core, name, "Where is it?")

        assert second.cached_tokens >= first.prompt_tokens
        assert second.prompt_tokens - second.cached_tokens < 60
        assert b"planted" not in file.read_bytes()
        await core.engine.forget(name)
        await until_no_state(process)


async def test_a_conversation_deleted_while_the_model_is_away_is_forgotten(
    process: ModelProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its file is deleted once the model process is back. A prompt without a conversation leaves no file at all."""
    monkeypatch.setattr(forgotten_states, "INTERVAL_S", 0.05)
    async with engine_of(process) as core:
        name = await core.engine.open("whisper")
        await usage_of(core, name, LETTER)
        await usage_of(core, None, LETTER.replace("blue", "green"))
        assert await asyncio.to_thread(process.stop) == 0
        assert len(state_files(process)) == 1
        await core.engine.forget(name)
        process.start()
        await asyncio.to_thread(process.wait_ready)

        await until_no_state(process)


async def test_a_killed_process_has_written_what_was_idle(process: ModelProcess) -> None:
    """The file appears some seconds after the answer."""
    async with connect(process) as http:
        answer = await ask(http, LETTER, prompt_cache_key="a conversation", max_tokens=4)
        async with asyncio.timeout(DEADLINE_S + IDLE_S):
            while not state_files(process):
                await asyncio.sleep(0.05)
    process.stop(signal.SIGKILL)
    process.start()
    await asyncio.to_thread(process.wait_ready)
    async with connect(process) as http:
        again = await ask(http, LETTER, prompt_cache_key="a conversation", max_tokens=4)
        cached = again["usage"]["prompt_tokens_details"]["cached_tokens"]

        assert cached >= min(256, answer["usage"]["prompt_tokens"] - 1)
        assert (await http.post("/forget", json={"prompt_cache_key": "a conversation"})).status_code == 200
        assert (await http.post("/forget", json={"prompt_cache_key": 5})).status_code == 400
    assert state_files(process) == []
