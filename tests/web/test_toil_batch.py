"""/toil/<personality>/batch: lines in, lines out, at the same time."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import httpx
import pytest

from bindings.selftest.changes import Changes
from core.configuration.settings import Settings
from core.contract import Task, ToilResult, Usage
from core.errors import ModelUnavailable, NonConforming
from tests.support.fake_engine import FakeEngine
from tests.web.support_site import Site, site
from web.service import WebLimits

NDJSON = {"Content-Type": "application/x-ndjson"}
PATH = "/toil/whisper/batch"


class GatedEngine(FakeEngine):
    """Each row waits until its prompt's event is set."""

    def __init__(self) -> None:
        super().__init__(toiled=lambda task: {"echo": task.prompt})
        self.gates: dict[str, asyncio.Event] = {}
        self.changes = Changes()
        self.cancelled_rows = 0

    async def toil(self, task: Task) -> ToilResult:
        gate = self.gates.setdefault(task.prompt, asyncio.Event())
        self.tasks.append(task)
        self.changes.notify()
        try:
            await gate.wait()
        except asyncio.CancelledError:
            self.cancelled_rows += 1
            self.changes.notify()
            raise
        return ToilResult({"echo": task.prompt}, "fake-model", Usage(7, 3, 0))

    async def wait_asked(self, count: int) -> None:
        await self.changes.until(lambda: len(self.tasks) >= count)

    async def wait_cancelled(self, count: int) -> None:
        await self.changes.until(lambda: self.cancelled_rows >= count)


def ndjson(*rows: Any) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


async def post(running: Site, data: bytes, path: str = PATH) -> list[dict[str, Any]]:
    async with running.http.post(path, data=data, headers=NDJSON) as response:
        assert (200, "application/x-ndjson") == (response.status, response.content_type)
        return [json.loads(line) for line in (await response.read()).splitlines()]


async def test_rows_with_their_own_prompts(own_settings: Settings) -> None:
    """Each output line has the number and id of its row, in the order of the rows."""
    async with site(own_settings, FakeEngine(toiled=lambda task: task.prompt)) as running:
        lines = await post(running, ndjson({"prompt": "a", "id": "x"}, {"prompt": "b", "schema": {"type": "string"}}))

    assert [{"row": 1, "id": "x", "value": "a"}, {"row": 2, "value": "b"}] == lines
    assert [None, {"type": "string"}] == [task.schema for task in running.engine.tasks]
    assert running.engine.tasks[0].user == running.engine.tasks[1].user


async def test_header_holds_the_shared_options(own_settings: Settings) -> None:
    """Schema, template and sampling. Line numbers count the header."""
    header = {"schema": {"type": "string"}, "prompt_template": "Say {word}!", "seed": 4, "order": "answers"}
    async with site(own_settings, FakeEngine(toiled=lambda task: task.prompt)) as running:
        lines = await post(running, ndjson({"batch": header}, {"word": "été", "id": 1}, {"wort": "b"}))

    lines.sort(key=lambda line: int(line["row"]))
    assert {"row": 2, "id": 1, "value": "Say été!"} == lines[0]
    assert (3, "bad_request") == (lines[1]["row"], lines[1]["error"]["code"])
    assert "`word`" in lines[1]["error"]["message"]
    [task] = running.engine.tasks
    assert ({"type": "string"}, 4) == (task.schema, task.sampling.seed)


async def test_failed_rows_and_malformed_lines_are_errors(own_settings: Settings) -> None:
    """Each has its number, and the batch goes on."""

    def toiled(task: Task) -> Any:
        return NonConforming("it does not") if task.prompt == "fail" else {"ok": True}

    body = (
        ndjson({"prompt": "fail"}) + b'{"prompt": \n\n[]\n"' + b"x" * 5000 + b'"\n\xff\n' + ndjson({"prompt": "fine"})
    )
    async with site(own_settings, FakeEngine(toiled=toiled), body_limit_bytes=4096) as running:
        lines = await post(running, body)

    codes = ["non_conforming", "bad_request", "bad_request", "bad_request", "bad_request", None]
    assert list(zip([1, 2, 4, 5, 6, 7], codes, strict=True)) == [
        (line["row"], line.get("error", {}).get("code")) for line in lines
    ]
    assert "4096" in lines[3]["error"]["message"]
    assert {"ok": True} == lines[-1]["value"]
    assert 1 == running.metric("csps_web_errors_total", code="non_conforming")


async def test_empty_batch_has_no_output(whisper: Site) -> None:
    """This includes input of blank lines only."""
    assert [] == await post(whisper, b"")
    assert [] == await post(whisper, b"\n\n")


async def test_answers_come_while_lines_are_sent(own_settings: Settings) -> None:
    """A client may choose the next line by an answer."""
    sent: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def body() -> AsyncIterator[bytes]:
        while (line := await sent.get()) is not None:
            yield line

    async with site(own_settings, FakeEngine(toiled=lambda task: task.prompt + "!")) as running:
        sent.put_nowait(ndjson({"prompt": "a"}))
        async with running.http.post(PATH, data=body(), headers=NDJSON) as response:
            prompt = "a"
            for _ in range(5):
                line = json.loads(await response.content.readline())
                prompt = line["value"]
                sent.put_nowait(ndjson({"prompt": prompt}))
            sent.put_nowait(None)
            rest = await response.read()

    assert "a!!!!!!" == json.loads(rest)["value"]


async def test_client_may_send_a_small_batch_before_reading(own_settings: Settings) -> None:
    """It works as long as the answers fit into the buffers."""

    async def body() -> AsyncIterator[bytes]:
        for number in range(200):
            yield ndjson({"prompt": str(number)})

    async with (
        site(own_settings) as running,
        httpx.AsyncClient(base_url=running.url, trust_env=False) as client,
        client.stream("POST", PATH, content=body(), headers=NDJSON) as response,
    ):
        lines = [json.loads(line) async for line in response.aiter_lines()]

    assert list(range(1, 201)) == [line["row"] for line in lines]


async def test_curl_command_of_the_documentation(own_settings: Settings) -> None:
    """Each line is answered before the next is sent."""
    async with site(own_settings) as running:
        process = await asyncio.create_subprocess_exec(
            *("curl", "-sN", "-T", ".", "-X", "POST", "-H", "Content-Type: application/x-ndjson"),
            running.url.rstrip("/") + PATH,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdin
        assert process.stdout
        for number in range(3):  # sends each line after the answer to the one before
            process.stdin.write(ndjson({"prompt": str(number)}))
            assert number + 1 == json.loads(await process.stdout.readline())["row"]
        process.stdin.close()
        assert 0 == await process.wait()


async def test_backpressure_stops_an_endless_upload(own_settings: Settings) -> None:
    """The upload stands still while rows are answered, and little of it is in memory."""
    engine = GatedEngine()
    yielded = 0
    line = ndjson({"prompt": "hold", "id": "x" * 500})

    async def endless() -> AsyncIterator[bytes]:
        nonlocal yielded
        while True:
            yielded += 1
            yield line * 20

    async with (
        site(own_settings, engine, WebLimits(batch_rows=3)) as running,
        running.http.post(PATH, data=endless(), headers=NDJSON) as response,
    ):
        await engine.wait_asked(3)
        before = -1
        while before != yielded:  # until the sender stands still, which only time can show
            before = yielded
            await asyncio.sleep(0.2)
        assert 3 == len(engine.tasks)
        assert yielded * len(line * 20) < 16_000_000  # the size of the kernel's buffers
        engine.gates["hold"].set()
        for number in range(1, 50):
            assert number == json.loads(await response.content.readline())["row"]
        response.close()


@pytest.mark.parametrize("ahead", [0, 5000])
async def test_lost_connection_cancels_all_rows(own_settings: Settings, ahead: int) -> None:
    """This also holds if much more was sent than read."""
    engine = GatedEngine()
    end = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield ndjson(*({"prompt": f"hold {number}"} for number in range(4)))
        for _ in range(ahead):
            yield ndjson({"prompt": "more", "id": "x" * 500})
        await end.wait()

    async with (
        site(own_settings, engine, WebLimits(batch_rows=4)) as running,
        running.http.post(PATH, data=body(), headers=NDJSON) as response,
    ):
        await engine.wait_asked(4)
        assert response.connection is not None
        assert response.connection.transport is not None
        # A reset, as from a proxy. A FIN would wait behind the unsent data, and nobody could notice it.
        client = response.connection.transport.get_extra_info("socket")
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        response.connection.transport.abort()
        await engine.wait_cancelled(4)

    assert 4 == len(engine.tasks)


async def test_missing_model_ends_the_batch(own_settings: Settings) -> None:
    """The last line holds the error; then the connection is aborted, so that the output does not look complete."""
    away = ModelUnavailable("nobody there")
    engine = FakeEngine(toiled=ModelUnavailable("away", retry_after_s=0), unready=away)
    async with (
        site(own_settings, engine) as running,
        running.http.post(PATH, data=ndjson({"prompt": "a"}), headers=NDJSON) as response,
    ):
        lines = [json.loads(await response.content.readline())]
        with pytest.raises(aiohttp.ClientError):
            await response.content.readline()

    assert [{"error": {"code": "model_unavailable", "message": "nobody there"}}] == lines


async def test_missing_line_ends_the_batch(own_settings: Settings) -> None:
    """Earlier rows are answered, the last line holds the error, and the connection is aborted."""

    async def body() -> AsyncIterator[bytes]:
        yield ndjson({"prompt": "a"}) + b'{"prompt": "never'
        await asyncio.Event().wait()

    async with (
        site(own_settings, read_timeout_s=1.0) as running,
        running.http.post(PATH, data=body(), headers=NDJSON) as response,
    ):
        lines = [json.loads(await response.content.readline()) for _ in range(2)]
        with pytest.raises(aiohttp.ClientError):
            await response.content.readline()

    assert {"row": 1, "value": {"answer": 42}} == lines[0]
    assert ["error"] == list(lines[1])
    assert "too_slow" == lines[1]["error"]["code"]


async def test_missing_first_line_is_408(own_settings: Settings) -> None:
    """Before the first line, an error has a status of its own."""

    async def body() -> AsyncIterator[bytes]:
        yield b'{"prompt"'
        await asyncio.Event().wait()

    async with (
        site(own_settings, read_timeout_s=0.2) as running,
        running.http.post(PATH, data=body(), headers=NDJSON) as response,
    ):
        assert 408 == response.status


async def test_drain_answers_running_rows_and_reads_no_more(own_settings: Settings) -> None:
    """The last line holds the reason."""
    engine = GatedEngine()
    more: asyncio.Queue[bytes] = asyncio.Queue()
    more.put_nowait(ndjson({"prompt": "a"}))

    async def body() -> AsyncIterator[bytes]:
        while True:
            yield await more.get()

    async with site(own_settings, engine) as running, running.http.post(PATH, data=body(), headers=NDJSON) as response:
        await engine.wait_asked(1)
        running.service.gate.stop()
        more.put_nowait(ndjson({"prompt": "b"}, {"prompt": "c"}))
        engine.gates["a"].set()
        lines = [json.loads(await response.content.readline()) for _ in range(2)]

    assert {"row": 1, "value": {"echo": "a"}} == lines[0]
    assert "stopping" == lines[1]["error"]["code"]


@pytest.mark.parametrize(
    ("body", "headers", "path", "status", "fragment"),
    [
        (b"{}", {"Content-Type": "application/json"}, PATH, 415, "application/x-ndjson"),
        (b"{}", {**NDJSON, "Content-Encoding": "gzip"}, PATH, 415, "uncompressed"),
        (b"{}", NDJSON, "/toil/nobody/batch", 404, "whisper"),
        (ndjson({"batch": {"schema": 1}}), NDJSON, PATH, 400, "`batch.schema"),
        (ndjson({"batch": {"nonsense": 1}}), NDJSON, PATH, 400, "nonsense"),
        (ndjson({"batch": {"prompt_template": "{"}}), NDJSON, PATH, 400, "template"),
    ],
)
async def test_invalid_batches_are_refused(
    whisper: Site, body: bytes, headers: dict[str, str], path: str, status: int, fragment: str
) -> None:
    """The response is a problem, and the engine is not called."""

    async def chunks() -> AsyncIterator[bytes]:
        yield body

    async with whisper.http.post(path, data=chunks(), headers=headers) as response:
        problem = await response.json(content_type="application/problem+json")

    assert (status, status) == (response.status, problem["status"])
    assert fragment in problem["detail"]
    assert whisper.engine.tasks == []
