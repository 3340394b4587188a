"""The model process as a process: TCP, little room, stop, restart, failing starts."""

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
from core.model.host.program import serve
from tests.core.model.worker.support_model_client import (
    CHAT,
    PERSONALITY,
    TOKENIZE,
    StreamedAnswer,
    answer_text,
    ask,
    body,
    connect,
    long_list,
    metric,
    stream,
)
from tests.support.starter import ModelProcess, link_starter

KEY = "planted-api-key"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def small(starter_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelProcess]:
    """One slot and one queue place, on TCP. A test that stops it starts it again."""
    data = tmp_path_factory.mktemp("small")
    link_starter(starter_file, data)
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
async def test_tcp_requires_the_key(tcp: httpx.AsyncClient, key: str) -> None:
    """Only /health is open, for load balancers. The error does not contain the key."""
    headers = {"Authorization": key.encode("latin-1")}
    for method, path in [("POST", CHAT), ("GET", "/v1/models"), ("GET", "/metrics"), ("POST", TOKENIZE)]:
        response = await tcp.request(method, path, headers=headers)  # type: ignore[arg-type]
        assert response.status_code == 401
        assert KEY not in response.text
    assert (await tcp.get("/health", headers={"Authorization": ""})).status_code == 200


async def test_tcp_with_the_key_answers(tcp: httpx.AsyncClient) -> None:
    """The answers equal those on the Unix socket."""
    assert answer_text(await ask(tcp, "Say hello."))


async def test_one_request_waits_and_the_next_gets_503(tcp: httpx.AsyncClient) -> None:
    """One request runs, one waits with its position, the third gets Retry-After. Then both are answered."""
    long = body("Write a long story.", stream=True, max_tokens=800, response_format=long_list(300))
    async with tcp.stream("POST", CHAT, json=long) as first:
        lines = first.aiter_lines()
        async for line in lines:
            if line.startswith("data:"):
                break
        second = StreamedAnswer()
        waiting = asyncio.create_task(stream(tcp, "And me?", second, max_tokens=3))
        await second.queued.wait()
        refused = await tcp.post(CHAT, json=body("And I?"))
        async for line in lines:  # until the end of the first answer
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
    """SIGTERM exits 0, only the personality is on disk, and the next process need not compute it."""
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


async def test_a_running_answer_finishes_before_the_exit(small: ModelProcess, tcp: httpx.AsyncClient) -> None:
    """After SIGTERM the process accepts no request, completes the answer, and exits 0."""
    answer = StreamedAnswer()
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


async def test_no_prompt_and_no_key_is_logged(small: ModelProcess, tcp: httpx.AsyncClient) -> None:
    """This holds for answered and for refused requests."""
    secret = "planted-secret-in-a-prompt"
    await ask(tcp, secret, user=secret)
    await tcp.post(CHAT, json={"messages": [{"role": secret, "content": secret}]})
    await tcp.post(CHAT, json=body(secret * 5000))
    response_format = {"type": "json_schema", "json_schema": {"schema": {"not": {"const": secret}}}}
    await tcp.post(CHAT, json=body(secret, response_format=response_format))
    assert small.stop(signal.SIGINT) == 0

    assert "model_ready" in small.stderr_text
    assert secret not in small.stderr_text
    assert KEY not in small.stderr_text
    small.start()
    small.wait_ready()


# --- start and stop --------------------------------------------------------------------------------------------------


def test_tcp_without_a_key_refuses_to_start(tmp_path: Path) -> None:
    """Exit code 2 tells the supervisor that a restart cannot help; there is no traceback."""
    process = ModelProcess(tmp_path, LLM_LISTEN="127.0.0.1:8081")
    process.start()

    assert process.wait() == 2
    assert "LLM_API_KEY" in process.stderr_text
    assert "Traceback" not in process.stderr_text


async def test_without_the_hub_the_starter_answers(starter_file: Path, tmp_path: Path) -> None:
    """The list of models says that the configured one is on its way or why it is not."""
    link_starter(starter_file, tmp_path)
    variables = {"LLM_HUGGINGFACE_REPO": "a/b", "LLM_HUGGINGFACE_FILE": "*.gguf", "LLM_CONTEXT_WINDOW": "512"}
    process = ModelProcess(tmp_path, HF_ENDPOINT=f"http://127.0.0.1:{free_port()}", **variables)
    with process.serving():
        async with connect(process) as http:
            assert "starter" == (await ask(http, "Hello", max_tokens=1))["model"]
            first, second = (await http.get("/v1/models")).json()["data"]

    assert ("a/b/*.gguf", "starter") == (first["id"], second["id"])
    assert first["state"] in ("downloading", "failed")
    assert "Traceback" not in process.stderr_text


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
async def test_an_unusable_address_is_named_in_the_error(tmp_path: Path, listen: str, words: str) -> None:
    """The message says what it should look like."""
    wrong = settings.load({"CSPS_LLM_DATA": str(tmp_path), "LLM_LISTEN": listen, "LLM_API_KEY": KEY})
    with pytest.raises(ConfigError, match=words):
        await serve(wrong)


async def test_a_file_error_is_not_reported_as_a_socket_error(tmp_path: Path) -> None:
    """It names the file. (It said that it could not listen.)"""
    (tmp_path / "models").write_text("in the way")
    with pytest.raises(ConfigError, match="models") as refused:
        await serve(settings.load({"CSPS_LLM_DATA": str(tmp_path)}))

    assert "listen" not in refused.value.message


async def test_a_killed_process_leaves_a_socket_that_is_replaced(starter_file: Path, tmp_path: Path) -> None:
    """`kill -9` leaves the file; the next start removes it."""
    link_starter(starter_file, tmp_path)
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


async def test_sigterm_ends_a_download_at_once(tmp_path: Path) -> None:
    """(It waited for the download.)"""
    requested = asyncio.Event()
    release = asyncio.Event()

    async def never_answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requested.set()
        await release.wait()
        writer.close()

    async with await asyncio.start_server(never_answers, "127.0.0.1", 0) as hub:
        port = hub.sockets[0].getsockname()[1]
        variables = {"LLM_HUGGINGFACE_REPO": "a/b", "LLM_HUGGINGFACE_FILE": "*.gguf", "HF_HUB_ETAG_TIMEOUT": "600"}
        process = ModelProcess(tmp_path, HF_ENDPOINT=f"http://127.0.0.1:{port}", **variables)
        process.start()
        await asyncio.wait_for(requested.wait(), 60)

        assert await asyncio.to_thread(process.stop) == 0
        release.set()
