"""Large inputs are parsed beside the event loop, one at a time."""

from __future__ import annotations

import asyncio
import threading
from functools import partial

import pytest

from core.configuration.settings import Settings
from core.errors import Overloaded
from tests.web.support_site import Site, receive_until
from web import large_inputs
from web.large_inputs import AT_ONCE, LARGE_BYTES, LargeInputs


class Work:
    """Blocks its thread until it may go on."""

    def __init__(self) -> None:
        self.running = 0
        self.most = 0
        self.go = threading.Event()
        self._lock = threading.Lock()

    def __call__(self) -> str:
        with self._lock:
            self.running += 1
            self.most = max(self.most, self.running)
        self.go.wait(20)
        with self._lock:
            self.running -= 1
        return threading.current_thread().name

    async def until(self, running: int) -> None:
        async with asyncio.timeout(20):
            while self.running < running:
                await asyncio.sleep(0.001)


async def test_a_small_input_needs_no_thread() -> None:
    """It would take longer to start one."""
    work = Work()
    work.go.set()
    assert await LargeInputs().run("somebody", LARGE_BYTES, work) == "MainThread"
    assert await LargeInputs().run("somebody", LARGE_BYTES + 1, work) != "MainThread"


async def test_inputs_are_parsed_one_at_a_time() -> None:
    """Threads share the interpreter with the event loop."""
    inputs, work = LargeInputs(), Work()
    async with asyncio.TaskGroup() as tasks:
        for client in ("first", "first", "first", "second", "third"):
            tasks.create_task(inputs.run(client, LARGE_BYTES + 1, work))
        await work.until(AT_ONCE)
        work.go.set()
    assert work.most == AT_ONCE


async def test_a_client_of_many_inputs_lets_others_in_between() -> None:
    """Its later inputs stand behind the first one of everybody else."""
    inputs, done = LargeInputs(), list[str]()
    async with asyncio.TaskGroup() as tasks:
        for client in ("first", "first", "first", "second"):
            tasks.create_task(inputs.run(client, LARGE_BYTES + 1, partial(done.append, client)))
    assert done.index("second") == 1


async def test_who_waits_too_long_is_asked_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The refusal says when."""
    monkeypatch.setattr(large_inputs, "WAIT_LIMIT_S", 0.01)
    inputs, work = LargeInputs(), Work()
    async with asyncio.TaskGroup() as tasks:
        for client in ("first", "second")[:AT_ONCE]:
            tasks.create_task(inputs.run(client, LARGE_BYTES + 1, work))
        await work.until(AT_ONCE)
        with pytest.raises(Overloaded) as refused:
            await inputs.run("third", LARGE_BYTES + 1, work)
        work.go.set()
    assert refused.value.retry_after_s is not None


async def test_large_bodies_frames_and_forms_are_read_whole(whisper: Site) -> None:
    """They reach the engine as small ones do."""
    long = "word, " * (LARGE_BYTES // 4)
    async with whisper.http.post("/toil/whisper", json={"prompt": long, "schema": {"type": "string"}}) as response:
        assert response.status == 200
    async with whisper.http.post("/gpt/whisper", data={"prompt": long}) as response:
        assert response.status == 200
    async with whisper.v1() as socket:
        await socket.send_json({"type": "prompt", "text": long})
        assert (await receive_until(socket, "done", "error"))[-1]["type"] == "done"
    assert whisper.engine.tasks[-1].prompt == long
    assert {prompt.text for prompt in whisper.engine.prompts} == {long}


async def test_a_body_of_many_keys_is_refused(own_settings: Settings, whisper: Site) -> None:
    """Each unknown key would get a description of its own."""
    async with whisper.http.post("/toil/whisper", json={f"k{n}": 1 for n in range(300)}) as response:
        assert response.status == 400
        assert "256 keys" in (await response.json(content_type=None))["detail"]
