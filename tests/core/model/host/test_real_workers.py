"""Real workers that are killed, stopped, and whose file is replaced; and the end of their host."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from tests.core.model.worker.support_model_client import StreamedAnswer, answer_text, ask, body, connect, long_list
from tests.support.starter import STARTER_FILE, ModelProcess, link_starter

pytestmark = pytest.mark.slow
KEY = "planted-key-of-the-host"
CHAT = "/v1/chat/completions"


@pytest.fixture(scope="module")
def process(starter_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelProcess]:
    """A host whose data folder has a copy of the starter. Tests end its workers."""
    data = tmp_path_factory.mktemp("workers")
    (data / "models").mkdir()
    shutil.copyfile(starter_file, data / "models" / STARTER_FILE)
    with ModelProcess(data, LLM_CONTEXT_WINDOW="1024", LLM_CACHE_TOKENS="2048", LLM_API_KEY=KEY).serving() as running:
        yield running


@pytest.fixture
async def http(process: ModelProcess) -> AsyncIterator[httpx.AsyncClient]:
    async with connect(process) as client:
        yield client


def children_of(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


async def begin(http: httpx.AsyncClient, answer: StreamedAnswer, begun: asyncio.Event) -> None:
    """Streams a long answer into `answer`; it lasts until its worker ends, or for 60 items."""
    request = body("Count.", stream=True, max_tokens=900, response_format=long_list(60))
    async with http.stream("POST", CHAT, json=request) as response:
        async for line in response.aiter_lines():
            if line.startswith('data: {"error"'):
                answer.comments.append(line)
                continue
            answer.take(line)
            if answer.text:
                begun.set()


async def running_answer(http: httpx.AsyncClient) -> tuple[StreamedAnswer, asyncio.Task[None]]:
    answer, begun = StreamedAnswer(), asyncio.Event()
    task = asyncio.create_task(begin(http, answer, begun))
    await asyncio.wait_for(begun.wait(), 60)
    return answer, task


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
async def test_a_worker_that_dies_or_hangs_is_replaced(
    process: ModelProcess, http: httpx.AsyncClient, number: signal.Signals
) -> None:
    """Its answers end with an error that clients continue after; the next request waits for the new worker."""
    answer, task = await running_answer(http)
    (worker,) = children_of(process.pid)
    os.kill(worker, number)
    await task
    after = await ask(http, "Hello", max_tokens=2)

    assert "model_unavailable" in answer.comments[-1]
    assert not answer.done
    assert answer_text(after)
    assert [worker] != children_of(process.pid)


async def test_a_replaced_file_is_loaded_while_the_old_one_answers(
    process: ModelProcess, http: httpx.AsyncClient
) -> None:
    """The running answer is whole; then the old worker is gone."""
    answer, task = await running_answer(http)
    (old,) = children_of(process.pid)
    file = process.settings.data_folder / "models" / STARTER_FILE
    shutil.copyfile(file, file.with_suffix(".new"))
    file.with_suffix(".new").replace(file)
    async with asyncio.timeout(240):
        while len(children_of(process.pid)) < 2:
            await ask(http, "Hello", max_tokens=1)
        await task
        while old in children_of(process.pid):
            await ask(http, "Hello", max_tokens=1)

    assert answer.done
    assert ["stop"] == answer.reasons


async def test_the_list_of_processes_shows_no_key(process: ModelProcess) -> None:
    """Anyone on the machine can read the arguments of a process. Nobody else reaches a worker's socket."""
    (worker,) = children_of(process.pid)
    arguments = Path(f"/proc/{worker}/cmdline").read_text(encoding="utf-8")
    sockets = list(process.socket.parent.glob("*.sock"))

    assert "core.model.worker" in arguments
    assert KEY not in arguments
    assert {process.socket} < set(sockets)
    assert process.socket.parent.stat().st_mode & 0o077 == 0


async def test_workers_end_with_a_killed_host(starter_file: Path, tmp_path: Path) -> None:
    """`kill -9` leaves no process behind."""
    link_starter(starter_file, tmp_path)
    process = ModelProcess(tmp_path, LLM_CONTEXT_WINDOW="512", LLM_CACHE_TOKENS="512")
    with process.serving():
        (worker,) = children_of(process.pid)
        process.stop(signal.SIGKILL)
        async with asyncio.timeout(30):
            while is_running(worker):
                await asyncio.sleep(0.01)  # the kernel announces the end of another's child to nobody


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
