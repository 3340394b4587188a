"""The model process as a process: on TCP, with little room, stopped, restarted, started wrongly."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from core.configuration import settings
from core.errors import ConfigError
from core.model.__main__ import serve
from core.model.sizing import choose_window
from tests.core.model.support_model_client import (
    CHAT,
    PERSONALITY,
    TOKENIZE,
    Streamed,
    ask,
    body,
    connect,
    long_list,
    metric,
    said,
    stream,
)
from tests.support.starter import ModelProcess, put_starter

KEY = "planted-api-key"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def small(starter_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelProcess]:
    """One slot, one place to wait, on TCP; each test that stops it starts it again."""
    data = tmp_path_factory.mktemp("small")
    put_starter(starter_file, data)
    variables = {"LLM_SLOTS": "1", "LLM_QUEUE": "1", "LLM_CONTEXT_WINDOW": "1024", "LLM_CACHE_TOKENS": "2048"}
    process = ModelProcess(data, LLM_LISTEN=f"127.0.0.1:{free_port()}", LLM_API_KEY=KEY, **variables)
    with process.serving():
        yield process


@pytest.fixture
async def tcp(small: ModelProcess) -> AsyncIterator[httpx.AsyncClient]:
    url = f"http://{small.variables['LLM_LISTEN']}"
    async with httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {KEY}"}, timeout=60) as client:
        yield client


@pytest.mark.parametrize("key", ["", "Bearer wrong", f"Bearer {KEY}x", "Basic cGxhbnRlZA==", "Bearer \xe9"])
async def test_on_tcp_callers_show_the_key(tcp: httpx.AsyncClient, key: str) -> None:
    """Everywhere but where a load balancer asks; the answer does not tell the key."""
    headers = {"Authorization": key.encode("latin-1")}
    for method, path in [("POST", CHAT), ("GET", "/v1/models"), ("GET", "/metrics"), ("POST", TOKENIZE)]:
        response = await tcp.request(method, path, headers=headers)  # type: ignore[arg-type]
        assert response.status_code == 401
        assert KEY not in response.text
    assert (await tcp.get("/health", headers={"Authorization": ""})).status_code == 200


async def test_with_the_key_it_answers(tcp: httpx.AsyncClient) -> None:
    """As on the Unix socket."""
    assert said(await ask(tcp, "Say hello."))


async def test_who_waits_is_told_and_who_is_too_many_is_turned_away(tcp: httpx.AsyncClient) -> None:
    """Behind one that writes, one may wait; the next is 503 with a time to come back. Then all goes on."""
    long = body("Write a long story.", stream=True, max_tokens=800, response_format=long_list(300))
    async with tcp.stream("POST", CHAT, json=long) as first:
        lines = first.aiter_lines()
        async for line in lines:
            if line.startswith("data:"):
                break
        waiting = asyncio.create_task(stream(tcp, "And me?", max_tokens=3))
        async with asyncio.timeout(30):
            while not await metric(tcp, "csps_model_waiting"):
                await asyncio.sleep(0.01)
        refused = await tcp.post(CHAT, json=body("And I?"))
        async for line in lines:  # until the queue was told where it stands
            if line.startswith("data:") and json.loads(line[5:])["choices"][0]["finish_reason"]:
                break
    answer = await waiting

    assert refused.status_code == 503
    assert refused.json()["error"]["code"] == "overloaded"
    assert int(refused.headers["Retry-After"]) >= 1
    assert answer.text
    assert answer.done
    assert any(comment.startswith(": queued position=1") for comment in answer.comments)


async def test_a_personality_survives_a_restart(small: ModelProcess, tcp: httpx.AsyncClient) -> None:
    """What was to be kept of it is on disk, and nothing else; SIGTERM exits 0; the next process need not compute it."""
    messages = [{"role": "system", "content": PERSONALITY}, {"role": "user", "content": "Where is Maria Chapdelaine?"}]
    await ask(tcp, messages, keep_prefix=True)
    other = [{"role": "system", "content": f"{PERSONALITY} Answer by this schema."}, messages[1]]
    for _ in range(2):
        await ask(tcp, other)
    assert small.stop() == 0
    (file,) = (small.settings.data_folder / "prefixes").iterdir()
    small.start()
    small.wait_ready()

    again = await ask(tcp, [*messages[:1], {"role": "user", "content": "What did you read?"}])
    assert await metric(tcp, "csps_model_prefixes_restored_total") == 1
    assert again["usage"]["prompt_tokens_details"]["cached_tokens"] > 30
    assert file.stat().st_mode & 0o077 == 0 or file.parent.stat().st_mode & 0o077 == 0


async def test_a_running_answer_may_finish(small: ModelProcess, tcp: httpx.AsyncClient) -> None:
    """Asked to stop, the process takes no new work, finishes what it writes, and exits 0."""
    answer = Streamed()
    request = body("Tell me a story.", stream=True, max_tokens=20, temperature=1.5)
    async with tcp.stream("POST", CHAT, json=request) as response:
        lines = response.aiter_lines()
        async for line in lines:
            answer.take(line)
            if answer.text:
                break
        stopped = asyncio.create_task(asyncio.to_thread(small.stop))
        async for line in lines:
            answer.take(line)

    assert await stopped == 0
    assert answer.done
    with pytest.raises(httpx.ConnectError):
        await tcp.get("/health")
    small.start()
    small.wait_ready()


async def test_nothing_of_a_prompt_is_logged(small: ModelProcess, tcp: httpx.AsyncClient) -> None:
    """Whether it is answered or refused; nor the key."""
    secret = "planted-secret-in-a-prompt"
    await ask(tcp, secret, user=secret)
    await tcp.post(CHAT, json={"messages": [{"role": secret, "content": secret}]})
    await tcp.post(CHAT, json=body(secret * 5000))
    wanted = {"type": "json_schema", "json_schema": {"schema": {"not": {"const": secret}}}}
    await tcp.post(CHAT, json=body(secret, response_format=wanted))
    assert small.stop(signal.SIGINT) == 0

    assert "model_ready" in small.said
    assert secret not in small.said
    assert KEY not in small.said
    small.start()
    small.wait_ready()


# --- starting --------------------------------------------------------------------------------------------------------


def test_on_the_network_without_a_key_it_refuses_to_start(tmp_path: Path) -> None:
    """Exit code 2, which tells the supervisor that a restart would not mend it; one message, no traceback."""
    process = ModelProcess(tmp_path, LLM_LISTEN="127.0.0.1:8081")
    process.start()

    assert process.wait() == 2
    assert "LLM_API_KEY" in process.said
    assert "Traceback" not in process.said


def test_what_a_restart_may_mend_has_another_exit_code(tmp_path: Path) -> None:
    """A hub that cannot be reached is no mistake of the operator's: 1, as for every process. (It was 2.)"""
    wanted = {"LLM_HUGGINGFACE_REPO": "a/b", "LLM_HUGGINGFACE_FILE": "*.gguf"}
    process = ModelProcess(tmp_path, HF_ENDPOINT=f"http://127.0.0.1:{free_port()}", **wanted)
    process.start()

    assert process.wait() == 1
    assert "csps-llm model: a/b cannot be read" in process.said
    assert "Traceback" not in process.said


@pytest.mark.parametrize(
    ("listen", "words"),
    [
        ("8081", "host:port"),
        (":8081", "host:port"),
        ("127.0.0.1:", "host:port"),
        ("127.0.0.1:http", "host:port"),
        ("127.0.0.1:99999", "host:port"),
        ("127.0.0.1:²", "host:port"),
        ("192.0.2.1:8081", "cannot listen at 192.0.2.1:8081"),
        ("no-such-host.invalid:8081", "cannot listen at no-such-host.invalid:8081"),
    ],
)
async def test_where_it_cannot_listen_is_said(tmp_path: Path, listen: str, words: str) -> None:
    """With what was asked for, and what it should look like."""
    wrong = settings.load({"CSPS_LLM_DATA": str(tmp_path), "LLM_LISTEN": listen, "LLM_API_KEY": KEY})
    with pytest.raises(ConfigError, match=words):
        await serve(wrong)


async def test_a_model_that_cannot_be_read_is_not_taken_for_a_socket(tmp_path: Path) -> None:
    """An error of the file system names the file. (It said that it could not listen.)"""
    (tmp_path / "models").write_text("in the way")
    with pytest.raises(ConfigError, match="models") as refused:
        await serve(settings.load({"CSPS_LLM_DATA": str(tmp_path)}))

    assert "listen" not in refused.value.message


@pytest.mark.parametrize(
    ("wanted", "trained", "window"), [(None, 2048, 2048), (None, 131_072, 8192), (4096, 131_072, 4096), (512, 512, 512)]
)
def test_the_context_window(wanted: int | None, trained: int, window: int) -> None:
    """What the model was trained for, up to what anybody needs; or what was asked for."""
    assert choose_window(wanted, trained) == window


def test_more_window_than_the_model_was_trained_for_is_refused() -> None:
    """It would answer nonsense beyond it."""
    with pytest.raises(ConfigError, match="LLM_CONTEXT_WINDOW is 4096, but this model was trained for at most 2048"):
        choose_window(4096, 2048)


async def test_a_socket_that_a_killed_process_left_is_taken_over(starter_file: Path, tmp_path: Path) -> None:
    """`kill -9` leaves the file; the next start does not stumble over it."""
    put_starter(starter_file, tmp_path)
    process = ModelProcess(tmp_path, LLM_CACHE_TOKENS="512", LLM_CONTEXT_WINDOW="512")
    with process.serving():
        assert process.stop(signal.SIGKILL) == -signal.SIGKILL
        assert process.socket.exists()
        process.log.clear()
        process.start()
        process.wait_ready()
        assert process.socket.parent.stat().st_mode & 0o077 == 0
        async with connect(process) as http:
            assert (await http.get("/health")).status_code == 200


async def test_a_download_does_not_keep_it_from_stopping(tmp_path: Path) -> None:
    """SIGTERM ends it at once, whatever it waits for. (It waited for the download.)"""
    asked = asyncio.Event()
    left = asyncio.Event()

    async def never_answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await left.wait()
        writer.close()

    async with await asyncio.start_server(never_answers, "127.0.0.1", 0) as hub:
        port = hub.sockets[0].getsockname()[1]
        wanted = {"LLM_HUGGINGFACE_REPO": "a/b", "LLM_HUGGINGFACE_FILE": "*.gguf", "HF_HUB_ETAG_TIMEOUT": "600"}
        process = ModelProcess(tmp_path, HF_ENDPOINT=f"http://127.0.0.1:{port}", **wanted)
        process.start()
        await asyncio.wait_for(asked.wait(), 60)

        assert await asyncio.to_thread(process.stop) == 0
        left.set()
