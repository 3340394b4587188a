"""The server while loading and stopping, after failures, and with slow clients."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, cast

import aiohttp
import pytest
from aiohttp import web
from pytest_aiohttp import AiohttpClient
from structlog.testing import capture_logs

from core.contract import Usage
from core.errors import ModelError, PromptTooLong
from core.model import http_service
from core.model.worker import server
from core.model.worker.loaded_model import LoadedModel, OutputQueue, ReplyHandle
from core.model.worker.sequence import FailedOutput, FinishedOutput, QueuedOutput, SequenceOutput, TextOutput
from core.model.worker.server import ModelService, create_app
from tests.core.model.worker.support_model_client import CHAT, StreamedAnswer

ASK: dict[str, Any] = {"messages": [{"role": "user", "content": "Hello"}]}
END = FinishedOutput("stop", Usage(3, 1, 0))


@dataclass
class FakeLoadedModel:
    """Replies with these outputs, and records a cancel."""

    outputs: list[SequenceOutput] = field(default_factory=list)
    error: Exception | None = None
    answer_prefix: str = ""
    id: str = "a-model"
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)

    async def chat(self, request: object) -> ReplyHandle:
        if self.error:
            raise self.error
        outputs = OutputQueue()
        for output in self.outputs:
            outputs.put(output)
        return ReplyHandle(outputs, cast(Any, None), self.answer_prefix)

    def cancel(self, reply: ReplyHandle) -> None:
        self.cancelled.set()


def serving(model: FakeLoadedModel | None = None, *, stopping: bool = False) -> web.Application:
    return create_app(ModelService(cast(LoadedModel | None, model), stopping))


async def streamed(response: aiohttp.ClientResponse) -> StreamedAnswer:
    answer = StreamedAnswer()
    for line in (await response.text()).splitlines():
        answer.take(line)
    return answer


async def test_while_loading_requests_get_503_with_retry_after(aiohttp_client: AiohttpClient) -> None:
    """The connection is not refused, and /health reports "loading"."""
    client = await aiohttp_client(serving())
    answer = await client.post(CHAT, json=ASK)

    assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
    assert (await answer.json())["error"]["code"] == "model_unavailable"
    assert await (await client.get("/health")).json() == {"status": "loading"}


async def test_a_disconnected_client_is_logged_in_one_line(
    aiohttp_client: AiohttpClient, caplog: pytest.LogCaptureFixture
) -> None:
    """A client that disconnects within an answer causes no traceback."""

    async def disconnected(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        assert request.transport is not None
        request.transport.close()
        await http_service.send(request, response, b"a piece")
        return response

    app = web.Application(middlewares=[http_service.errors_as_json])
    app.router.add_get("/", disconnected)
    client = await aiohttp_client(app)
    with capture_logs() as logs, pytest.raises(aiohttp.ClientError):
        await (await client.get("/")).read()

    assert ["client_disconnected"] == [each["event"] for each in logs]
    assert "Error handling request" not in caplog.text


async def test_while_stopping_requests_get_503_with_retry_after(aiohttp_client: AiohttpClient) -> None:
    """The next process will serve them."""
    client = await aiohttp_client(serving(FakeLoadedModel([END]), stopping=True))
    answer = await client.post(CHAT, json=ASK)

    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert (await (await client.get("/health")).json()) == {"status": "stopping"}


@pytest.mark.parametrize("stream", [True, False])
async def test_a_failure_before_the_first_text_has_its_own_status(aiohttp_client: AiohttpClient, stream: bool) -> None:
    """This holds for streamed answers too."""
    client = await aiohttp_client(serving(FakeLoadedModel([FailedOutput(ModelError("it failed"))])))
    answer = await client.post(CHAT, json={**ASK, "stream": stream})

    assert answer.status == 502
    assert (await answer.json())["error"]["message"] == "it failed"


async def test_a_failure_after_the_first_text_is_the_last_event(aiohttp_client: AiohttpClient) -> None:
    """No [DONE] follows, so that a partial answer does not look complete."""
    model = FakeLoadedModel([TextOutput("Hel"), FailedOutput(ModelError("it failed"))])
    client = await aiohttp_client(serving(model))
    answer = await streamed(await client.post(CHAT, json={**ASK, "stream": True}))

    assert not answer.done
    assert answer.events[-1]["error"]["message"] == "it failed"
    assert answer.events[-2]["choices"][0]["delta"]["content"] == "Hel"


@pytest.mark.parametrize("streams", [True, False])
async def test_the_answer_prefix_comes_first(aiohttp_client: AiohttpClient, streams: bool) -> None:
    """A template may open the thinking, and the model writes only its end; the client gets both."""
    model = FakeLoadedModel([TextOutput("Hm.</think>"), TextOutput("Hello"), END], answer_prefix="<think>")
    client = await aiohttp_client(serving(model))
    response = await client.post(CHAT, json=ASK | {"stream": streams})

    text = (await streamed(response)).text if streams else (await response.json())["choices"][0]["message"]["content"]
    assert text == "<think>Hm.</think>Hello"


async def test_queue_positions_are_sent_as_comments(aiohttp_client: AiohttpClient) -> None:
    """OpenAI's clients skip comments."""
    model = FakeLoadedModel([QueuedOutput(2, None), QueuedOutput(1, 2.5), TextOutput("Hi"), END])
    client = await aiohttp_client(serving(model))
    answer = await streamed(await client.post(CHAT, json={**ASK, "stream": True}))

    assert answer.comments == [": queued position=2", ": queued position=1 wait_s=2.5"]
    assert (answer.text, answer.done) == ("Hi", True)


async def test_a_silent_stream_sends_comments(aiohttp_client: AiohttpClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client of a long prefill sees that the process lives."""
    monkeypatch.setattr(server, "KEEPALIVE_S", 0.01)
    client = await aiohttp_client(serving(FakeLoadedModel([])))
    async with client.post(CHAT, json={**ASK, "stream": True}) as response:
        while (line := await response.content.readline()) != b": working\n":
            assert line.startswith((b"data: ", b"\n"))


async def test_a_too_long_prompt_error_has_tokens_and_limit(aiohttp_client: AiohttpClient) -> None:
    """The error has OpenAI's code, and the numbers for trimming."""
    client = await aiohttp_client(serving(FakeLoadedModel(error=PromptTooLong("too long", tokens=900, limit=512))))
    answer = await client.post(CHAT, json=ASK)

    assert answer.status == 400
    assert (await answer.json())["error"] == {
        "message": "too long",
        "type": "invalid_request_error",
        "param": None,
        "code": "context_length_exceeded",
        "tokens": 900,
        "limit": 512,
    }


async def test_an_incomplete_body_times_out(aiohttp_client: AiohttpClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """The status is 408, so that partial requests do not accumulate."""
    monkeypatch.setattr(http_service, "BODY_TIMEOUT_S", 0.05)
    client = await aiohttp_client(serving(FakeLoadedModel([END])))
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nHost: model\r\nContent-Length: 100\r\n\r\n{")

    assert (await reader.readline()).startswith(b"HTTP/1.1 408")
    writer.close()


async def test_a_client_that_reads_nothing_is_dropped(
    aiohttp_client: AiohttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its slot is free then."""
    monkeypatch.setattr(http_service, "SEND_TIMEOUT_S", 0.2)
    model = FakeLoadedModel([TextOutput("x" * 1_000_000)] * 64)
    client = await aiohttp_client(serving(model))
    with capture_logs() as logs:
        async with client.post(CHAT, json={**ASK, "stream": True}):
            await asyncio.wait_for(model.cancelled.wait(), 30)

    assert [entry["event"] for entry in logs] == ["client_dropped"]
